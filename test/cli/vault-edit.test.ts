import { describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CliWorkspace, cliWorkspace, PASSPHRASE } from "./cli-process.ts";
import { CTRL_C, ENTER, onTerminal } from "./on-terminal.ts";

const SECRET = "s3cr3t-that-nobody-sees";
const VAULT = "config/comfyvn.secrets.json";
const MEMORY = "/dev/shm";

async function withVault(payload: unknown = { a: SECRET }): Promise<CliWorkspace> {
  const workspace = cliWorkspace();
  await workspace.unlocked(["vault", "import", "-"], { stdin: JSON.stringify(payload) });
  return workspace;
}

/** An editor that is a script: `$1` is the file. */
function editor({ other }: CliWorkspace, script: string): string {
  const path = join(other, `editor-${Math.random()}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** None when the edit has just removed the folder. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** What edits of this process's children left behind. Other runs of these tests may be at work: only what names the secret counts. */
function leftBehind(): string[] {
  return readdirSync(MEMORY)
    .filter((name) => name.startsWith("comfyvn-edit-"))
    .flatMap((name) => filesIn(join(MEMORY, name)))
    .filter((path) => {
      try {
        return readFileSync(path, "utf8").includes(SECRET);
      } catch {
        return false;
      }
    });
}

const env = (EDITOR: string) => ({ COMFYVN_SECRETS_KEY: PASSPHRASE, EDITOR });

describe("vault edit", () => {
  test("stores what the editor saved, from a file in memory that only its user can read", async () => {
    const workspace = await withVault();
    const trace = join(workspace.other, "trace");
    const script = `stat -c '%a %F' "$1" "$(dirname "$1")" > ${trace}; dirname "$1" >> ${trace}; sed -i 's/"a"/"b"/' "$1"`;
    const result = await workspace.call(["vault", "edit"], { env: env(editor(workspace, script)) });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    const [file, folder, place = ""] = readFileSync(trace, "utf8").split("\n");
    expect([file, folder]).toEqual(["600 regular file", "700 directory"]);
    expect(place).toStartWith(`${MEMORY}/comfyvn-edit-`);
    expect((await workspace.unlocked(["vault", "get", "b"])).stdout).toBe(`${SECRET}\n`);
    expect((await workspace.unlocked(["vault", "show"])).stdout).toMatch(/backups +1/);
    expect(leftBehind()).toEqual([]);
  });

  test("writes nothing when nothing was changed", async () => {
    const workspace = await withVault();
    const before = readFileSync(join(workspace.root, VAULT));
    const { status, stdout } = await workspace.call(["vault", "edit"], { env: env("true") });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "unchanged: the vault held exactly this already\n" });
    expect(readFileSync(join(workspace.root, VAULT))).toEqual(before);
  });

  const failures: readonly (readonly [hazard: string, script: string, said: string, status: number])[] = [
    ["an editor that fails", "exit 3", "the editor ended with status 3; the vault is as it was", 1],
    ["text that is not JSON", `echo '{"a": ${SECRET}' > "$1"`, "not JSON: line 1, column", 1],
    ["JSON that is no object", `echo '[1]' > "$1"`, "must be a JSON object", 1],
    ["an editor that removes the file", `rm "$1"`, "the editor removed the file", 1],
    ["an editor that kills itself", "kill -KILL $$", "the editor ended with status 137", 1],
  ];
  for (const [hazard, script, said, status] of failures) {
    test(`after ${hazard} the vault is as it was, and no file is left`, async () => {
      const workspace = await withVault();
      const before = readFileSync(join(workspace.root, VAULT));
      const result = await workspace.call(["vault", "edit"], { env: env(editor(workspace, script)) });
      expect(result.status).toBe(status);
      expect(result.stderr).toContain(said);
      expect(result.stdout + result.stderr).not.toContain(SECRET);
      expect(readFileSync(join(workspace.root, VAULT))).toEqual(before);
      expect(leftBehind()).toEqual([]);
    });
  }

  test("with an editor that is not there says how to name one", async () => {
    const workspace = await withVault();
    const { status, stderr } = await workspace.call(["vault", "edit"], { env: env("no-such-editor --wait") });
    expect(status).toBe(2);
    expect(stderr).toContain("set VISUAL or EDITOR");
    expect(leftBehind()).toEqual([]);
  });

  test("without an editor and without a terminal says what scripts do instead", async () => {
    const workspace = await withVault();
    const { status, stderr } = await workspace.unlocked(["vault", "edit"]);
    expect(status).toBe(2);
    expect(stderr).toContain("vault set");
  });

  test("never stores over what another program stored meanwhile", async () => {
    const workspace = await withVault();
    const bun = `${process.execPath} ${join(import.meta.dir, "../../src/main.ts")}`;
    const script = `echo '{"a": "mine"}' > "$1"; echo '{"a": "theirs"}' | ${bun} vault import - --root ${workspace.root}`;
    const { status, stderr } = await workspace.call(["vault", "edit"], { env: env(editor(workspace, script)) });
    expect(status).toBe(1);
    expect(stderr).toContain("something else changed the vault");
    expect((await workspace.unlocked(["vault", "get", "a"])).stdout).toBe("theirs\n");
  });

  for (const [signal, status] of [
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGQUIT", 130],
  ] as const) {
    test(`${signal} ends the editor and removes the file`, async () => {
      const workspace = await withVault();
      const pidFile = join(workspace.other, "pid");
      const waiting = editor(workspace, `echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 60`);
      await workspace.during(
        ["vault", "edit"],
        async (child) => {
          while (!(await Bun.file(pidFile).exists())) await Bun.sleep(10);
          expect(leftBehind().length).toBe(1);
          child.kill(signal);
          expect(await child.exited).toBe(status);
          expect(await new Response(child.stderr).text()).toContain("cancelled: the vault is as it was");
        },
        { env: env(waiting) },
      );
      expect(leftBehind()).toEqual([]);
      expect(() => process.kill(Number(readFileSync(pidFile, "utf8")), 0)).toThrow();
    });
  }

  test("removes what a killed edit left, at the next one", async () => {
    const workspace = await withVault();
    const pidFile = join(workspace.other, "pid");
    const waiting = editor(workspace, `echo "$1" > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 1`);
    let file = "";
    await workspace.during(
      ["vault", "edit"],
      async (child) => {
        while (!(await Bun.file(pidFile).exists())) await Bun.sleep(10);
        file = readFileSync(pidFile, "utf8").trim();
        child.kill("SIGKILL");
        await child.exited;
      },
      { env: env(waiting) },
    );
    expect(leftBehind()).toEqual([file]);
    const earlier = new Date(Date.now() - 300_000);
    utimesSync(dirname(file), earlier, earlier);
    const { stderr } = await workspace.call(["vault", "edit"], { env: env("true") });
    expect(stderr).toContain("removed the file of an edit that was killed");
    expect(leftBehind()).toEqual([]);
  });
});

describe("vault edit on a terminal", () => {
  test("offers to edit again what is not JSON, with the user's own text", async () => {
    const workspace = await withVault({ a: 1 });
    const count = join(workspace.other, "count");
    const script = `if [ -e ${count} ]; then grep -q mine "$1" && echo '{"a": 2}' > "$1"; else touch ${count}; echo '{mine' > "$1"; fi`;
    const result = await onTerminal(workspace.root, ["vault", "edit"], [{ question: "Edit it again?", keys: ENTER }], {
      env: env(editor(workspace, script)),
    });
    expect(result).toMatchObject({ status: 0, unasked: 0 });
    expect(result.screen).toContain("line 1, column");
    expect((await workspace.unlocked(["vault", "get", "a"])).stdout).toBe("2\n");
  });

  test("given up, it changes nothing", async () => {
    const workspace = await withVault();
    const before = readFileSync(join(workspace.root, VAULT));
    const options = { env: env(editor(workspace, `echo '{' > "$1"`)) };
    const answers = [{ question: "Edit it again?", keys: CTRL_C }];
    const result = await onTerminal(workspace.root, ["vault", "edit"], answers, options);
    expect(result).toMatchObject({ status: 130, unasked: 0 });
    expect(readFileSync(join(workspace.root, VAULT))).toEqual(before);
    expect(leftBehind()).toEqual([]);
  });

  test("Ctrl-C belongs to the editor as long as it runs", async () => {
    const workspace = await withVault({ a: 1 });
    const script = `trap 'echo "{\\"a\\": 3}" > "$1"; exit 0' INT; echo editing; while :; do sleep 0.1; done`;
    const answers = [{ question: "editing", keys: CTRL_C }];
    const options = { env: env(editor(workspace, script)) };
    const result = await onTerminal(workspace.root, ["vault", "edit"], answers, options);
    expect(result).toMatchObject({ status: 0, unasked: 0 });
    expect((await workspace.unlocked(["vault", "get", "a"])).stdout).toBe("3\n");
  });

  test("what was stored meanwhile is replaced only when the user says so, and stays as a backup", async () => {
    const workspace = await withVault({ a: "first" });
    const bun = `${process.execPath} ${join(import.meta.dir, "../../src/main.ts")}`;
    const theirs = join(workspace.other, "theirs.json");
    writeFileSync(theirs, '{"a": "theirs"}');
    const script = `echo '{"a": "mine"}' > "$1"; ${bun} vault import ${theirs} --root ${workspace.root} >/dev/null`;
    const answers = [{ question: "Store yours in its place?", keys: "y" }];
    const options = { env: env(editor(workspace, script)) };
    const result = await onTerminal(workspace.root, ["vault", "edit"], answers, options);
    expect(result).toMatchObject({ status: 0, unasked: 0 });
    expect((await workspace.unlocked(["vault", "get", "a"])).stdout).toBe("mine\n");
    await workspace.unlocked(["vault", "restore", "0"]);
    expect((await workspace.unlocked(["vault", "get", "a"])).stdout).toBe("theirs\n");
  });
});
