import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cliWorkspace, lineOf, PASSPHRASE } from "./cli-process.ts";

const LISTENING = /^listening on http:\/\/127\.0\.0\.1:\d+$/;

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  test(`one line on stdout when ready, and ${signal} ends it with status 0`, async () => {
    await cliWorkspace().during(["serve", "--port", "0"], async (child) => {
      const line = await lineOf(child, LISTENING);
      const health = await fetch(`${line.slice("listening on ".length)}/api/health`);
      expect(health.status).toBe(200);
      await health.body?.cancel();
      child.kill(signal);
      const rest = await Array.fromAsync(child.stdout);
      expect({ status: await child.exited, rest }).toEqual({ status: 0, rest: [] });
    });
  });
}

test("the environment chooses the port, and a flag wins over it", async () => {
  const workspace = cliWorkspace();
  const env = { COMFYVN_PORT: "not a port" };
  const { status, stderr } = await workspace.call(["serve"], { env });
  expect(status).toBe(2);
  expect(stderr).toContain("a port is a number");
  const started = workspace.during(["serve", "--port", "0"], (child) => lineOf(child, LISTENING), { env });
  expect(await started).toMatch(LISTENING);
});

test("a port that is taken is said to be so", async () => {
  const workspace = cliWorkspace();
  await workspace.during(["serve", "--port", "0"], async (child) => {
    const port = (await lineOf(child, LISTENING)).split(":").at(-1) ?? "";
    const { status, stdout, stderr } = await workspace.call(["serve", "--port", port]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("[port_in_use]");
  });
});

test("an address that others reach is refused without a token", async () => {
  const { status, stdout, stderr } = await cliWorkspace().call(["serve", "--port", "0", "--host", "0.0.0.0"]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain("COMFYVN_API_TOKEN");
});

test("every loopback address is one that only this machine reaches", async () => {
  const listening = /^listening on http:\/\/127\.0\.0\.2:\d+$/;
  await cliWorkspace().during(["serve", "--port", "0", "--host", "127.0.0.2"], async (child) => {
    const base = (await lineOf(child, listening)).slice("listening on ".length);
    expect((await fetch(`${base}/api/health`)).status).toBe(200);
    const rebound = await fetch(`${base}/api/health`, { headers: { host: "127.0.0.1" } });
    expect(rebound.status).toBe(403);
  });
});

test("a name that a script left empty is wrong usage, not some other place", async () => {
  for (const option of ["--host", "--passphrase-file"]) {
    const { status, stderr } = await cliWorkspace().call(["serve", "--port", "0", option, ""]);
    expect(status).toBe(2);
    expect(stderr).toContain("is empty");
  }
});

test("the passphrase of a file opens the vault for the server's requests", async () => {
  const workspace = cliWorkspace();
  await workspace.call(["flags", "enable", "local"]);
  await workspace.unlocked(["vault", "import", "-"], {
    stdin: JSON.stringify({ cloud_sync: { local: { path: workspace.other } } }),
  });
  const file = join(workspace.other, "key");
  writeFileSync(file, `${PASSPHRASE}\n`);
  await workspace.during(["serve", "--port", "0", "--passphrase-file", file], async (child) => {
    const base = (await lineOf(child, LISTENING)).slice("listening on ".length);
    const response = await fetch(`${base}/api/sync/dry_run`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ service: "local" }),
    });
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });
  expect(readFileSync(join(workspace.root, "logs/server.log"), "utf8")).not.toContain(PASSPHRASE);
});

test("a damaged config file does not keep the server down: it says what is wrong, at the start and to every gated request", async () => {
  const workspace = cliWorkspace();
  mkdirSync(join(workspace.root, "config"), { recursive: true });
  writeFileSync(join(workspace.root, "config/comfyvn.json"), '{"features": {');
  await workspace.during(["serve", "--port", "0"], async (child) => {
    const base = (await lineOf(child, LISTENING)).slice("listening on ".length);
    const health = await fetch(`${base}/api/health`);
    expect(await health.json()).toMatchObject({ status: "ok", features: null, config: { code: "config_malformed" } });
    const gated = await fetch(`${base}/api/sync/manifest`);
    expect(await gated.json()).toMatchObject({ status: 503, code: "config_malformed" });
  });
});

test("a log folder that cannot be written does not keep the server down: that is said on stderr, and the lines go there", async () => {
  const workspace = cliWorkspace();
  // A file in the folder's place stops root as well.
  workspace.write("logs", "not a folder");
  await workspace.during(["serve", "--port", "0"], async (child) => {
    const base = (await lineOf(child, LISTENING)).slice("listening on ".length);
    const answer = await fetch(`${base}/api/backup/create`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ include: ["nothing"] }),
    });
    expect(answer.status).toBe(409);
    child.kill("SIGTERM");
    const stderr = await new Response(child.stderr).text();
    expect(stderr).toContain("server.log cannot be written");
    expect(stderr).toContain('"event":"backup.create"');
    expect(await child.exited).toBe(0);
  });
  expect(readFileSync(join(workspace.root, "logs"), "utf8")).toBe("not a folder");
});
