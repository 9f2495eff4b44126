import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CliWorkspace, cliWorkspace } from "./cli-process.ts";

const EVENT = "on_backup_created";
const SECRET = "canary of the command line";

function receiver(status: number, bodies: string[]): Bun.Server<undefined> {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      bodies.push(await request.text());
      return new Response("answer", { status });
    },
  });
}

/** A workspace that may send to this machine, and give up after one attempt. */
function workspaceFor(): CliWorkspace {
  const workspace = cliWorkspace();
  const hooks = { allow_private_targets: true, webhook_attempts_max: 1 };
  workspace.write("config/comfyvn.json", JSON.stringify({ hooks }));
  workspace.write("assets/hero.png", "a picture");
  return workspace;
}

describe("hooks webhooks", () => {
  test("with no server running, the command that caused an event sends it, signed by the secret from stdin", async () => {
    const workspace = workspaceFor();
    const bodies: string[] = [];
    const server = receiver(200, bodies);
    try {
      const url = `http://127.0.0.1:${server.port}/in`;
      const added = await workspace.call(["hooks", "webhooks", "add", "--secret", EVENT, url], {
        stdin: `${SECRET}\n`,
      });
      expect(added).toMatchObject({ status: 0, stderr: "" });
      expect(added.stdout).toContain(`${url} gets ${EVENT}, signed`);
      expect(readFileSync(join(workspace.root, "data/webhooks.json"), "utf8")).toContain(SECRET);
      expect((await workspace.call(["backup", "create"])).status).toBe(0);
      expect(bodies.map((body) => (JSON.parse(body) as { event: string }).event)).toEqual([EVENT]);
      const listed = await workspace.call(["hooks", "webhooks", "list", "--json"]);
      expect(JSON.parse(listed.stdout)).toMatchObject({
        ok: true,
        webhooks: [{ event: EVENT, url, signed: true, pending: 0 }],
      });
      expect(listed.stdout + added.stdout).not.toContain(SECRET);
      const attempts = await workspace.call(["hooks", "webhooks", "attempts"]);
      expect(attempts.stdout).toContain("ok");
    } finally {
      await server.stop(true);
    }
  });

  test("what was given up is shown and sent again when that is asked for", async () => {
    const workspace = workspaceFor();
    const bodies: string[] = [];
    const failing = receiver(500, bodies);
    const port = failing.port ?? 0;
    const url = `http://127.0.0.1:${port}/in`;
    await workspace.call(["hooks", "webhooks", "add", EVENT, url]);
    await workspace.call(["backup", "create"]);
    await failing.stop(true);
    expect(bodies).toHaveLength(1);
    const dead = await workspace.call(["hooks", "webhooks", "dead", "--json"]);
    expect(JSON.parse(dead.stdout)).toMatchObject({ items: [{ event: EVENT, url, reason: "attempts" }] });
    const well = Bun.serve({
      hostname: "127.0.0.1",
      port,
      fetch: async (request) => {
        bodies.push(await request.text());
        return new Response("ok");
      },
    });
    try {
      const again = await workspace.call(["hooks", "webhooks", "redeliver"]);
      expect(again).toMatchObject({ status: 0, stdout: "1 event queued again\n" });
      expect(bodies[1]).toBe(bodies[0] ?? "");
      expect((await workspace.call(["hooks", "webhooks", "dead"])).stdout).toBe("nothing was given up\n");
    } finally {
      await well.stop(true);
    }
  });

  test("nonsense is an error that says what to do and changes nothing", async () => {
    const workspace = cliWorkspace();
    const cases: readonly (readonly [readonly string[], number, string])[] = [
      [["add", "no_such_event", "https://x.example/"], 1, "[schema]"],
      [["add", EVENT, "ftp://x.example/"], 1, "[webhook_url]"],
      [["add", EVENT, "http://127.0.0.1/"], 1, "[webhook_refused]"],
      [["add", EVENT], 2, "url"],
      [["remove", "nothing"], 1, "[webhook_missing]"],
      [["redeliver", "7"], 1, "[webhook_missing]"],
      [["redeliver", "x"], 2, "number"],
    ];
    for (const [args, status, said] of cases) {
      const result = await workspace.call(["hooks", "webhooks", ...args]);
      expect({ args, status: result.status }).toEqual({ args, status });
      expect(result.stderr).toContain(said);
    }
    workspace.write("data/webhooks.json", "{");
    const listed = await workspace.call(["hooks", "webhooks", "list"]);
    expect(listed.status).toBe(1);
    expect(listed.stderr).toContain("data/webhooks.json");
    expect(readFileSync(join(workspace.root, "data/webhooks.json"), "utf8")).toBe("{");
  });
});
