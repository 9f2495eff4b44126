import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const MAIN = resolve(import.meta.dir, "../../src/main.ts");
const COLUMNS = 80;
const ROWS = 40;
const WAIT_MS_MAX = 60_000;
/** What the captures show as the workspace, in place of the temporary folder they are made in. */
const SHOWN_ROOT = "/home/mika/studio";

const MIB = 1024 ** 2;

/** Path and size, bytes, of a studio's day. */
const ASSETS: readonly (readonly [string, number])[] = [
  ...Array.from(
    { length: 24 },
    (_, index) => [`assets/backgrounds/scene-${index + 1}.png`, 700_000 + index * 31_000] as const,
  ),
  ...Array.from(
    { length: 9 },
    (_, index) => [`assets/characters/mika/pose-${index + 1}.png`, 240_000 + index * 9_000] as const,
  ),
  ["assets/music/opening-theme-with-a-name-that-is-longer-than-any-terminal-is-wide.ogg", 9 * MIB],
  ["assets/voice/ミカ/第一章-挨拶.ogg", 180_000],
  ["scripts/chapter-1.rpy", 21_000],
  ["scripts/chapter-2.rpy", 18_400],
];

interface Stage {
  readonly folder: string;
  readonly root: string;
}

/** The captures of the page by name, each what a terminal of 80 columns shows. Needs tmux. */
export async function captures(): Promise<ReadonlyMap<string, string>> {
  const stage = makeStage();
  try {
    return new Map([
      ["plan", await capture(stage, "comfyvn-sync plan --service local", (screen) => screen.endsWith("$ "))],
      [
        "progress",
        await capture(stage, "comfyvn-sync run --service local", (screen) => /\b[4-6]\d % .* left /.test(screen)),
      ],
    ]);
  } finally {
    // Gone already when the last capture was taken.
    await tmux(stage, "kill-server").catch(() => "");
    rmSync(stage.folder, { recursive: true, force: true });
  }
}

/** A workspace with a destination that takes its time, and a shell that knows the program. */
function makeStage(): Stage {
  const folder = mkdtempSync(join(tmpdir(), "cli-"));
  const root = join(folder, "studio");
  for (const [path, bytes] of ASSETS) {
    const file = join(root, ...path.split("/"));
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, new Uint8Array(bytes).fill(path.length));
  }
  mkdirSync(join(folder, "nas"));
  mkdirSync(join(root, "config"));
  const settings = {
    features: { enable_cloud_sync: true, enable_cloud_sync_local: true },
    sync: { local: { path: join(folder, "nas") }, bandwidth_limit_bytes_per_s: 4 * MIB },
  };
  writeFileSync(join(root, "config/comfyvn.json"), JSON.stringify(settings));
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/comfyvn-sync"), `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`, {
    mode: 0o755,
  });
  return { folder, root };
}

/** Types `command` into a new terminal and takes what it shows once `isThere` says so. */
async function capture(stage: Stage, command: string, isThere: (screen: string) => boolean): Promise<string> {
  const size = ["-x", String(COLUMNS), "-y", String(ROWS)];
  const shell = `env -i PATH=${join(stage.folder, "bin")}:/usr/bin:/bin TERM=xterm LANG=C.UTF-8 PS1='$ ' bash --norc --noprofile`;
  await tmux(stage, "new-session", "-d", "-s", "page", ...size, "-c", stage.root, shell);
  await screenOnce(stage, (screen) => screen === "$ ");
  await tmux(stage, "send-keys", "-t", "page", "-l", command);
  await tmux(stage, "send-keys", "-t", "page", "Enter");
  const screen = await screenOnce(stage, (text) => text !== "$ " && isThere(text));
  await tmux(stage, "kill-session", "-t", "page");
  const lines = screen.replace(/\n\$ $/, "").split("\n");
  return lines.map((line) => line.replaceAll(stage.root, SHOWN_ROOT).trimEnd()).join("\n");
}

async function screenOnce(stage: Stage, isThere: (screen: string) => boolean): Promise<string> {
  const deadline = performance.now() + WAIT_MS_MAX;
  let screen = "";
  while (performance.now() < deadline) {
    // -N keeps the space after a prompt, which tells that the shell waits.
    screen = (await tmux(stage, "capture-pane", "-p", "-N", "-J", "-t", "page")).replace(/\n+$/, "");
    if (isThere(screen)) return screen;
    await Bun.sleep(50);
  }
  throw new Error(`the terminal never showed what was waited for:\n${screen}`);
}

async function tmux({ folder }: Stage, ...args: readonly string[]): Promise<string> {
  const child = Bun.spawn(["tmux", "-f", "/dev/null", "-S", join(folder, "tmux"), ...args], {
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C.UTF-8" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`tmux ${args[0] ?? ""}: ${err}`);
  return out;
}
