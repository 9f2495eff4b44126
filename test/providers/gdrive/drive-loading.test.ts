/** What googleapis costs, and who pays. */
import { expect, test } from "bun:test";
import { join } from "node:path";

const WORKER = join(import.meta.dir, "loading-worker.ts");
const GOOGLES = /node_modules\/(googleapis|googleapis-common|google-auth-library|gaxios)\//;

/** Google's modules in the graph of a process that has done `what`. */
async function googlesAfter(what: string): Promise<readonly string[]> {
  const env = { PATH: process.env["PATH"] ?? "" };
  const child = Bun.spawn([process.execPath, WORKER, what], {
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const modules = JSON.parse(await new Response(child.stdout).text()) as string[];
  expect(await child.exited).toBe(0);
  return modules.filter((path) => GOOGLES.test(path));
}

test("a server that has started and answered has loaded nothing of googleapis", async () => {
  expect(await googlesAfter("serve")).toEqual([]);
}, 30_000);

test("the provider loads the one API that it uses, not the three hundred others", async () => {
  const modules = await googlesAfter("gdrive");
  const apis = modules.filter((path) => path.includes("/googleapis/build/src/"));
  expect(apis.map((path) => path.slice(path.indexOf("/build/src/")))).toEqual(["/build/src/apis/drive/v3.js"]);
}, 30_000);
