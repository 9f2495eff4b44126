/**
 * `bun run soak:defences`: takes defences out of a copy of the source, one at a time, and shows that the numbered test
 * passes with each and fails without it. Ends with status 1 when one does not.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { REMOVALS, type Removal } from "./defences.ts";

const REPOSITORY = resolve(import.meta.dir, "../..");
const COPIED = ["src", "test", "config", "docs", "scripts", "package.json", "tsconfig.json", "bunfig.toml"];
const TEST_MS_MAX = 180_000;

const copy = mkdtempSync(join(tmpdir(), "comfyvn-defences-"));
try {
  for (const name of COPIED) cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
  symlinkSync(join(REPOSITORY, "node_modules"), join(copy, "node_modules"));
  let failed = 0;
  for (const removal of REMOVALS) {
    const verdict = verdictOn(removal);
    if (verdict !== "noticed") failed++;
    console.log(`security ${removal.number}: without “${removal.defence}” ${verdict}`);
  }
  console.log(`${REMOVALS.length - failed} of ${REMOVALS.length} removed defences were noticed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function verdictOn(removal: Removal): "noticed" | "NOT NOTICED" | "FAILS WITH IT TOO" | "IS NOT WHERE IT WAS" {
  const path = join(copy, removal.file);
  const source = readFileSync(path, "utf8");
  if (source.split(removal.find).length !== 2) return "IS NOT WHERE IT WAS";
  if (passes(removal) !== true) return "FAILS WITH IT TOO";
  writeFileSync(path, source.replace(removal.find, removal.without));
  try {
    return passes(removal) === false ? "noticed" : "NOT NOTICED";
  } finally {
    writeFileSync(path, source);
  }
}

/** undefined when no test ran to a verdict. */
function passes({ test, number }: Removal): boolean | undefined {
  const command = [process.execPath, "test", "--timeout", "30000", test, "-t", `security ${number}:`];
  const { stderr } = Bun.spawnSync(command, {
    cwd: copy,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: TEST_MS_MAX,
  });
  const text = stderr.toString();
  const passed = Number(/^ *(\d+) pass$/m.exec(text)?.[1] ?? 0);
  const failed = Number(/^ *(\d+) fail$/m.exec(text)?.[1] ?? 0);
  if (passed + failed === 0) return undefined;
  return failed === 0;
}
