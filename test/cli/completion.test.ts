import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { CommandLine } from "../../src/cli/command-line.ts";
import { type Candidates, candidates } from "../../src/cli/completion/candidates.ts";
import { createProgram } from "../../src/cli/program.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { cliWorkspace } from "./cli-process.ts";

const MAIN = resolve(import.meta.dir, "../../src/main.ts");
const ARCHIVES = ["20251215T080530Z-pre-release.zip", "20251216T080530Z.zip"];

const workspace = cliWorkspace();
for (const name of ARCHIVES) workspace.write(`backups/cloud/${name}`, "");
workspace.write("notes.txt", "");

/** The program's own tree of commands. */
function program(): Command {
  const cli = new CommandLine(bunPlatform(), new AbortController().signal);
  return createProgram(cli, { out: "", err: "" });
}

describe("candidates are", () => {
  const cases: readonly (readonly [
    what: string,
    words: readonly string[],
    values: readonly string[],
    also: Candidates["also"],
  ])[] = [
    ["commands", ["ver"], [], "nothing"],
    ["commands that begin so", ["pl"], ["plan"], "nothing"],
    ["commands of a group", ["vault", "re"], ["rekey", "restore"], "nothing"],
    ["flags of the command and of all", ["plan", "--re"], ["--rehash"], "nothing"],
    ["global flags too", ["plan", "--ro"], ["--root"], "nothing"],
    ["values of a flag", ["plan", "--service", ""], ["s3", "gdrive", "local"], "nothing"],
    ["values after an equals sign", ["plan", "--service=l"], ["--service=local"], "nothing"],
    ["values after an equals sign as bash hands it over", ["plan", "--service", "=", "l"], ["local"], "nothing"],
    ["none for a flag that takes free text", ["plan", "--snapshot", ""], [], "nothing"],
    ["files for a flag that takes one", ["plan", "--passphrase-file", ""], [], "files"],
    ["folders for the root", ["--root", ""], [], "folders"],
    ["files for include paths", ["run", "--service", "local", "as"], [], "files"],
    ["flags that may be given", ["flags", "enable", "lo"], ["local"], "nothing"],
    ["archives", ["backup", "verify", ""], ARCHIVES, "nothing"],
    ["archives only where they belong", ["backup", "verify", ARCHIVES[0] ?? "", ""], [], "nothing"],
    ["nothing for a place in the vault", ["vault", "get", ""], [], "nothing"],
  ];
  for (const [what, words, values, also] of cases) {
    test(what, async () => {
      const found = await candidates(program(), words, () => Promise.resolve(ARCHIVES));
      expect({ values: found.items.map(({ value }) => value), also: found.also }).toEqual({
        values: [...values],
        also,
      });
    });
  }
});

test("archives come from the workspace that the line names, newest first", async () => {
  const line = ["complete", "--", "--root", workspace.root, "backup", "restore", ""];
  const { stdout } = await workspace.call(line, { env: { COMFYVN_ROOT: workspace.other } });
  expect(stdout).toBe(`${ARCHIVES.toReversed().join("\t\n")}\t\n:nothing\n`);
});

test("an unknown shell is refused with those that are known", async () => {
  const { status, stderr } = await workspace.call(["completion", "tcsh"]);
  expect(status).toBe(2);
  expect(stderr).toContain("bash, zsh, fish");
});

/** A folder for PATH with comfyvn-sync in it. */
function binFolder(): string {
  const bin = join(workspace.other, "bin");
  mkdirSync(bin, { recursive: true });
  const path = join(bin, "comfyvn-sync");
  writeFileSync(path, `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`);
  chmodSync(path, 0o755);
  return bin;
}

async function shell(command: readonly string[], script: string): Promise<string> {
  const child = Bun.spawn([...command, script], {
    cwd: workspace.root,
    env: { PATH: `${binFolder()}:/usr/bin:/bin`, HOME: workspace.other, TERM: "dumb" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ status: await child.exited, err }).toEqual({ status: 0, err: "" });
  return out;
}

/** Loads the script in bash and asks for completions of a line, as Tab does. */
const bashLine = (...words: string[]) => `
source <(comfyvn-sync completion bash)
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length - 1}
_comfyvn_sync
printf '%s\\n' "\${COMPREPLY[@]}"`;

describe("in the shells themselves", () => {
  test("bash completes", async () => {
    expect(await shell(["bash", "-c"], bashLine("comfyvn-sync", "vault", "re"))).toBe("rekey\nrestore\n");
  });

  test("bash never runs what stands in a half-typed line", async () => {
    const hostile = bashLine("comfyvn-sync", "vault", "get", "$(touch pwned)", ">", "notes.txt", "");
    await shell(["bash", "-c"], hostile);
    expect(await Bun.file(join(workspace.root, "pwned")).exists()).toBe(false);
  });

  test("fish completes, with descriptions", async () => {
    const script = "comfyvn-sync completion fish | source; complete -C 'comfyvn-sync plan --service '";
    expect((await shell(["fish", "--no-config", "-c"], script)).trim().split("\n").toSorted()).toEqual([
      "gdrive",
      "local",
      "s3",
    ]);
    const commands = await shell(["fish", "--no-config", "-c"], script.replace("plan --service ", "vault rek"));
    expect(commands).toBe("rekey\tchange the vault's passphrase\n");
  });

  test("zsh completes on a terminal", async () => {
    const rc = join(workspace.other, ".zshrc");
    writeFileSync(
      rc,
      "autoload -U compinit && compinit -u -D\nsource <(comfyvn-sync completion zsh)\nPS1='ready> '\nsetopt no_beep\n",
    );
    let screen = "";
    const completed = Promise.withResolvers<void>();
    const child = Bun.spawn(["zsh", "-i"], {
      cwd: workspace.root,
      env: { PATH: `${binFolder()}:/usr/bin:/bin`, HOME: workspace.other, TERM: "xterm" },
      terminal: {
        cols: 80,
        rows: 24,
        data: (terminal, bytes) => {
          screen += new TextDecoder().decode(bytes);
          // The line editor draws character by character, with sequences in between.
          const seen = screen.replace(/\u001b\[[0-9;?]*[a-zA-Z]/g, "");
          if (seen.includes("vault rekey ")) completed.resolve();
          else if (seen.includes("ready> ") && !seen.includes("comfyvn-sync"))
            terminal.write("comfyvn-sync vault rek\t");
        },
      },
    });
    const timer = setTimeout(() => completed.reject(new Error(`it never completed: ${screen}`)), 50_000);
    try {
      await completed.promise;
    } finally {
      clearTimeout(timer);
      child.kill("SIGKILL");
      await child.exited;
      child.terminal?.close();
    }
  });
});
