import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { type CliChild, type CliWorkspace, cliWorkspace, lineOf } from "./cli-process.ts";
import { onTerminal } from "./on-terminal.ts";

const TOKEN = "a-long-random-token-of-the-tests";

/** The same answer at another moment. */
function timeless(json: string): unknown {
  return JSON.parse(json, (key, value: unknown) => (key === "created_at" ? "" : value));
}

function studio(): CliWorkspace {
  const workspace = cliWorkspace();
  const features = { enable_cloud_sync: true, enable_cloud_sync_local: true };
  workspace.write("config/comfyvn.json", JSON.stringify({ features, sync: { local: { path: workspace.other } } }));
  workspace.write("assets/bg/forest.png", "forest");
  return workspace;
}

/** Runs `use` with the address of a server on `workspace`. */
async function served<T>(
  workspace: CliWorkspace,
  use: (address: string, server: CliChild) => Promise<T>,
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  return await workspace.during(
    ["serve", "--port", "0"],
    async (server) => await use((await lineOf(server, /^listening on /)).slice("listening on ".length), server),
    { env },
  );
}

describe("--server lets a running server do the work", () => {
  test("in the server's workspace, and --json is its very answer", async () => {
    const workspace = studio();
    const elsewhere = cliWorkspace();
    const local = await workspace.call(["plan", "--service", "local", "--json"]);
    await served(workspace, async (address) => {
      const there = (args: string[]) => elsewhere.call([...args, "--server", address]);
      const plan = await there(["plan", "--service", "local", "--json"]);
      expect({ status: plan.status, stderr: plan.stderr }).toEqual({ status: 0, stderr: "" });
      expect(timeless(plan.stdout)).toEqual(timeless(local.stdout));
      const manifest = await there(["manifest", "--include", "assets", "--detail", "entries", "--json"]);
      expect(JSON.parse(manifest.stdout)).toMatchObject({
        include: ["assets"],
        detail: [{ path: "assets/bg/forest.png" }],
      });
      const run = await there(["run", "--service", "local"]);
      expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: "" });
      expect(run.stdout).toStartWith("ok: snapshot default on local");
    });
    expect(readFileSync(join(workspace.other, "default/assets/bg/forest.png"), "utf8")).toBe("forest");
    expect(existsSync(join(elsewhere.root, "cache"))).toBe(false);
  });

  test("for backups from the first to the last command", async () => {
    const workspace = studio();
    const elsewhere = cliWorkspace();
    await served(workspace, async (address) => {
      const there = (args: string[]) => elsewhere.call(["backup", ...args, "--server", address]);
      const created = JSON.parse((await there(["create", "--label", "far", "--json"])).stdout) as { name: string };
      expect((await there(["list"])).stdout).toContain(created.name);
      expect((await there(["verify", created.name])).stdout).toContain("whole");
      expect((await there(["restore", created.name])).stdout).toContain("0 files restored");
      const missing = await there(["verify", "20200101T000000Z.zip", "--json"]);
      expect(missing.status).toBe(1);
      expect(JSON.parse(missing.stdout)).toMatchObject({ status: 404, code: "backup_missing" });
      expect(missing.stderr).toMatch(/^error: [^\n]+ \[backup_missing\]\n$/);
    });
  });

  test("with the token of COMFYVN_API_TOKEN, and not without", async () => {
    const workspace = studio();
    const env = { COMFYVN_API_TOKEN: TOKEN };
    await served(
      workspace,
      async (address) => {
        const args = ["plan", "--service", "local", "--server", address];
        expect((await workspace.call(args, { env })).status).toBe(0);
        const refused = await workspace.call(args);
        expect(refused.status).toBe(1);
        expect(refused.stderr).toMatch(/^error: send the token of COMFYVN_API_TOKEN [^\n]+ \[unauthorized\]\n$/);
      },
      env,
    );
  });
});

test("on a terminal the server's progress is drawn as the command's own", async () => {
  const workspace = studio();
  const features = { enable_cloud_sync: true, enable_cloud_sync_local: true };
  const sync = { local: { path: workspace.other }, bandwidth_limit_bytes_per_s: 1024 ** 2 };
  workspace.write("config/comfyvn.json", JSON.stringify({ features, sync }));
  for (const name of ["a", "b", "c"]) workspace.write(`assets/${name}.bin`, new Uint8Array(1024 ** 2).fill(1));
  await served(workspace, async (address) => {
    const { status, screen } = await onTerminal(workspace.root, ["run", "--service", "local", "--server", address]);
    expect(status).toBe(0);
    expect(screen).toMatch(/\r\u001b\[Kupload {2}[█░]+ .+ of 3\.0 MiB/);
    expect(screen).toMatch(/\r\u001b\[K\u001b\[32mok\u001b\[39m: snapshot default on local/);
  });
});

describe("a server that is not there", () => {
  const workspace = cliWorkspace();
  const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("<h1>hello</h1>") });
  afterAll(() => other.stop(true));

  test("is one clear line with what to do, and status 1", async () => {
    const { status, stdout, stderr } = await workspace.call(["manifest", "--server", "http://127.0.0.1:1"]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(
      /^error: no server answers at http:\/\/127\.0\.0\.1:1; [^\n]+--server[^\n]+\[server_unreachable\]\n$/,
    );
  });

  test("is not taken for another program that answers there", async () => {
    const { status, stderr } = await workspace.call(["backup", "list", "--server", `http://127.0.0.1:${other.port}`]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/is no comfyvn-sync server \(status 200\) \[server_unreachable\]\n$/);
  });

  test("that goes away in the middle of a run is said to have done so", async () => {
    const dying = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data: (socket, bytes) => {
          const text = new TextDecoder().decode(bytes);
          const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
          if (text.startsWith("GET /api/health")) socket.end(`${head}content-length: 2\r\nconnection: close\r\n\r\n{}`);
          else socket.end(`${head}content-length: 5000\r\n\r\n{"manifest": `);
        },
      },
    });

    try {
      const address = `http://127.0.0.1:${dying.port}`;
      const { status, stdout, stderr } = await workspace.call(["run", "--service", "local", "--server", address]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/^error: [^\n]+\[server_unreachable\]\n$/);
    } finally {
      dying.stop(true);
    }
  });
});

describe("wrong usage of --server ends with status 2 and repeats no secret", () => {
  const wrong: readonly (readonly [hazard: string, args: readonly string[], said: string])[] = [
    ["an address that is none", ["--server", "localhost"], "an address like http://127.0.0.1:8001"],
    ["a file", ["--server", "file:///etc/passwd"], "an address like http://127.0.0.1:8001"],
    ["a password in the address", ["--server", "http://me:hunter2@127.0.0.1:1"], "COMFYVN_API_TOKEN"],
    ["a workspace of this machine", ["--server", "http://127.0.0.1:1", "--root", "."], "leave --root"],
  ];
  for (const [hazard, args, said] of wrong) {
    test(hazard, async () => {
      const { status, stdout, stderr } = await cliWorkspace().call(["backup", "list", ...args]);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toContain(said);
      expect(stderr).not.toContain("hunter2");
    });
  }
});

/** True while the process has the file open (Linux tells). */
function holds(pid: number, path: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === path;
    } catch {
      return false;
    }
  });
}

test("Ctrl-C in a command with --server cancels the server's work too", async () => {
  const workspace = studio();
  workspace.write("assets/huge.bin", "");
  const huge = join(workspace.root, "assets/huge.bin");
  // So large that its hash is not done before the signal.
  truncateSync(huge, 64 * 1024 ** 3);
  await served(workspace, async (address, server) => {
    const args = ["run", "--service", "local", "--server", address];
    await workspace.during(args, async (child) => {
      while (!holds(server.pid, huge)) await Bun.sleep(20);
      child.kill("SIGINT");
      expect(await child.exited).toBe(130);
      expect(await new Response(child.stderr).text()).toMatch(/^cancelled: nothing was published[^\n]+\n$/);
    });
    while (holds(server.pid, huge)) await Bun.sleep(20);
    expect(
      (await workspace.call(["plan", "--service", "local", "--path", "assets/bg", "--server", address])).status,
    ).toBe(0);
  });
});
