import { describe, expect, test } from "bun:test";
import { HOOK_NAMES } from "../../src/hooks/catalogue.ts";
import { type CliChild, cliWorkspace, lineOf } from "./cli-process.ts";

const LISTENING = /^listening on /;
const EVENT = "on_backup_restored";

/** Sends a test event of the name, told apart by `restored`. */
async function send(base: string, restored: number, event = EVENT): Promise<void> {
  const response = await fetch(`${base}/api/modder/hooks/test`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ event, payload: { restored } }),
  });
  expect(response.status).toBe(200);
  await response.body?.cancel();
}

/** Lines of a stream one by one, so that a test goes on as soon as one is there. */
function linesOf(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  return async (): Promise<string | undefined> => {
    while (!text.includes("\n")) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      text += decoder.decode(value, { stream: true });
    }
    const line = text.slice(0, text.indexOf("\n"));
    text = text.slice(line.length + 1);
    return line;
  };
}

const baseOf = async (child: CliChild) => (await lineOf(child, LISTENING)).slice("listening on ".length);

describe("hooks list", () => {
  test("shows every event; --json is the API's answer", async () => {
    const workspace = cliWorkspace();
    await workspace.during(["serve", "--port", "0"], async (server) => {
      const base = await baseOf(server);
      const { status, stdout } = await workspace.call(["hooks", "list", "--server", base]);
      expect({ status, names: stdout.split("\n").map((line) => line.split(" ")[0]) }).toEqual({
        status: 0,
        names: [...HOOK_NAMES, ""],
      });
      const json = await workspace.call(["hooks", "list", "--json", "--server", base]);
      expect(JSON.parse(json.stdout)).toEqual(await (await fetch(`${base}/api/modder/hooks`)).json());
    });
  });

  test("the server is looked for where serve listens", async () => {
    const workspace = cliWorkspace();
    await workspace.during(["serve", "--port", "0"], async (server) => {
      const port = new URL(await baseOf(server)).port;
      const { status, stderr } = await workspace.call(["hooks", "list"], { env: { COMFYVN_PORT: port } });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    });
  });

  test("no server there: said with what to do", async () => {
    const { status, stderr } = await cliWorkspace().call(["hooks", "tail"], { env: { COMFYVN_PORT: "1" } });
    expect(status).toBe(1);
    expect(stderr).toContain(
      "no server answers at http://127.0.0.1:1; start one there (comfyvn-sync serve), or name another",
    );
    expect(stderr).toContain("[server_unreachable]");
  });

  test("where no server runs the workspace itself answers; one that was named is not replaced by it", async () => {
    const workspace = cliWorkspace();
    const nobody = { env: { COMFYVN_PORT: "1" } };
    await workspace.call(["hooks", "webhooks", "add", EVENT, "https://ci.example/in"]);
    const { status, stdout } = await workspace.call(["hooks", "list", "--json"], nobody);
    expect(status).toBe(0);
    const { ok, hooks, webhooks } = JSON.parse(stdout) as {
      ok: boolean;
      hooks: { name: string }[];
      webhooks: { url: string }[];
    };
    expect({ ok, names: hooks.map(({ name }) => name), urls: webhooks.map(({ url }) => url) }).toEqual({
      ok: true,
      names: [...HOOK_NAMES],
      urls: ["https://ci.example/in"],
    });
    const named = await workspace.call(["hooks", "list", "--server", "http://127.0.0.1:1"], nobody);
    expect({ status: named.status, stdout: named.stdout }).toEqual({ status: 1, stdout: "" });
  });

  test("a password in the address is refused and not repeated", async () => {
    const { status, stderr } = await cliWorkspace().call(["hooks", "list", "--server", "http://me:canary@127.0.0.1:1"]);
    expect(status).toBe(2);
    expect(stderr).not.toContain("canary");
  });
});

describe("hooks tail", () => {
  test("a restart of the server loses nothing and repeats nothing; Ctrl-C ends it with 130 and without a complaint", async () => {
    const workspace = cliWorkspace();
    let port = "0";
    const serving = <T>(use: (base: string) => Promise<T>) =>
      workspace.during(["serve", "--port", port], async (server) => {
        const base = await baseOf(server);
        ({ port } = new URL(base));
        const result = await use(base);
        server.kill("SIGTERM");
        await server.exited;
        return result;
      });
    await serving(async () => undefined);
    const args = ["hooks", "tail", "--json", "--server", `http://127.0.0.1:${port}`, EVENT];
    const numberOf = (line = "{}") => (JSON.parse(line) as { data?: { restored?: number } }).data?.restored;
    const first = Promise.withResolvers<void>();
    const up = Promise.withResolvers<void>();
    const serverDone = serving(async (base) => {
      up.resolve();
      await first.promise;
      await send(base, 1);
      await send(base, 9, "on_cloud_sync_complete");
    });
    await up.promise;
    await workspace.during(args, async (tail) => {
      const note = linesOf(tail.stderr);
      const line = linesOf(tail.stdout);
      expect(await note()).toStartWith("listening to ");
      first.resolve();
      await serverDone;
      expect(numberOf(await line())).toBe(1);
      await serving(async (base) => {
        await send(base, 2);
        expect(numberOf(await line())).toBe(2);
      });
      tail.kill("SIGINT");
      expect(await tail.exited).toBe(130);
      const rest: (string | undefined)[] = [];
      for (let each = await note(); each !== undefined; each = await note()) rest.push(each);
      expect(rest.filter((each) => each?.includes("error") || each?.includes("missing"))).toEqual([]);
      expect(await line()).toBeUndefined();
    });
  });

  test("a line for people names the time, the event and its fields, and obeys no escape sequence", async () => {
    const workspace = cliWorkspace();
    await workspace.during(["serve", "--port", "0"], async (server) => {
      const base = await baseOf(server);
      await workspace.during(["hooks", "tail", "--server", base], async (tail) => {
        const note = linesOf(tail.stderr);
        await note();
        await fetch(`${base}/api/modder/hooks/test`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ event: EVENT, payload: { name: "\u001B[31mred.zip" } }),
        });
        const line = await linesOf(tail.stdout)();
        expect(line).toMatch(
          /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ on_backup_restored name=\\x1b\[31mred\.zip restored=2 skipped=351$/,
        );
      });
    });
  });

  test("an unknown event is refused by the server in its own words", async () => {
    const workspace = cliWorkspace();
    await workspace.during(["serve", "--port", "0"], async (server) => {
      const { status, stderr } = await workspace.call([
        "hooks",
        "tail",
        "--server",
        await baseOf(server),
        "on_nothing",
      ]);
      expect(status).toBe(1);
      expect(stderr).toContain("the events are: on_cloud_sync_plan");
    });
  });
});
