import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startS3Server } from "../../services/s3-server.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const server = await startS3Server();
const recorder = await startS3Server();
afterAll(async () => {
  await server.stop();
  await recorder.stop();
});
server.createBucket("studio");
recorder.createBucket("studio");

test("whatever AWS settings the machine has, requests go where the vault says, with its credentials", async () => {
  const config = join(tempFolder(), "config");
  const ambient = `region = mars\nendpoint_url = ${recorder.endpoint}\naws_access_key_id = ambient\naws_secret_access_key = ambient\n`;
  writeFileSync(
    config,
    `[default]\n${ambient}[profile other]\n${ambient}services = s\n[services s]\ns3 =\n  endpoint_url = ${recorder.endpoint}\n`,
  );
  const child = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, "s3-ambient-worker.ts"),
      JSON.stringify({ ...server.settingsFor("studio"), profile: "other" }),
    ],
    {
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: tempFolder(),
        NO_PROXY: "127.0.0.1",
        AWS_CONFIG_FILE: config,
        AWS_SHARED_CREDENTIALS_FILE: config,
        AWS_PROFILE: "other",
        AWS_ENDPOINT_URL: recorder.endpoint,
        AWS_ENDPOINT_URL_S3: recorder.endpoint,
        AWS_REGION: "mars",
        AWS_DEFAULT_REGION: "mars",
        AWS_ACCESS_KEY_ID: recorder.accessKeyId,
        AWS_SECRET_ACCESS_KEY: "ambient",
        AWS_SESSION_TOKEN: "ambient",
        AWS_USE_FIPS_ENDPOINT: "true",
        AWS_USE_DUALSTACK_ENDPOINT: "true",
        AWS_S3_USE_ARN_REGION: "true",
        AWS_MAX_ATTEMPTS: "nonsense",
        AWS_RETRY_MODE: "nonsense",
        AWS_REQUEST_CHECKSUM_CALCULATION: "nonsense",
        AWS_RESPONSE_CHECKSUM_VALIDATION: "nonsense",
        AWS_SIGV4A_SIGNING_REGION_SET: "mars",
        AWS_AUTH_SCHEME_PREFERENCE: "sigv4a",
        AWS_SDK_UA_APP_ID: "ambient-app",
        AWS_LAMBDA_FUNCTION_NAME: "f",
        AWS_EXECUTION_ENV: "ambient-exec",
        _X_AMZN_TRACE_ID: "ambient-trace",
      },
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ status: await child.exited, out: out.trim(), err }).toEqual({ status: 0, out: "copy,large,small", err: "" });
  expect(recorder.seen).toEqual([]);
  const sent = JSON.stringify(server.seen.map(({ headers }) => headers));
  for (const word of ["ambient", "mars", recorder.endpoint.slice("http://".length)]) expect(sent).not.toContain(word);
});
