/**
 * `bun run check [STEP…]`: everything a machine can say about the code without running it. One line a step, what a failed step
 * said below it, a summary; exit status 1 when any failed.
 */
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { findImportFaults } from "./check/import-rules.ts";
import { findSuppressions } from "./check/suppressions.ts";

interface Step {
  readonly name: string;
  readonly what: string;
  /** What is wrong, as text for the user; empty when nothing is. */
  readonly run: () => Promise<string>;
}

const project = dirname(import.meta.dir);

const STEPS: readonly Step[] = [
  step("types", "TypeScript, the whole tree", () => tool("tsc", "-p", "tsconfig.json")),
  step("portable", "TypeScript, portable rooms, web types only", () => tool("tsc", "-p", "tsconfig.portable.json")),
  step("package", "TypeScript, the library with what Node 20 has", () =>
    tool("tsc", "-p", "tsconfig.package.json", "--noEmit"),
  ),
  step("lint", "oxlint with type information", () => tool("oxlint", "--type-aware", "--deny-warnings")),
  step("format", "Biome's formatter; bun run format writes", () => tool("biome", "format", "--reporter=summary")),
  step("imports", "which room imports which", async () => (await findImportFaults(project)).join("\n")),
  step("suppressions", "no check switched off by a comment", async () => (await findSuppressions(project)).join("\n")),
  step("unused", "dead code and dependencies", () => tool("knip", "--no-progress")),
];

function step(name: string, what: string, run: Step["run"]): Step {
  return { name, what, run };
}

/** Runs a tool of node_modules on this runtime; its output when it fails. */
async function tool(name: string, ...options: readonly string[]): Promise<string> {
  const command = [process.execPath, join(project, "node_modules", ".bin", name), ...options];
  const child = Bun.spawn(command, { cwd: project, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (status === 0) return "";
  return `${out}${err}`.trim() || `${name} ended with status ${status} and said nothing`;
}

async function runStep({ name, what, run }: Step): Promise<boolean> {
  const startMs = performance.now();
  const faults = await run();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${faults === "" ? "ok  " : "FAIL"} ${name.padEnd(12)} ${seconds.padStart(5)} s  ${what}`);
  if (faults !== "") console.log(faults.replaceAll(/^/gm, "     "));
  return faults === "";
}

async function runSteps(steps: readonly Step[]): Promise<boolean[]> {
  const results: boolean[] = [];
  const left = [...steps];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) results.push(await runStep(next));
  };
  await Promise.all(Array.from({ length: Math.max(1, cpus().length) }, work));
  return results;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !STEPS.some((each) => each.name === name));
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(", ")}; there are ${STEPS.map((each) => each.name).join(", ")}`);
  process.exit(2);
}
const results = await runSteps(asked.length === 0 ? STEPS : STEPS.filter((each) => asked.includes(each.name)));
const failed = results.filter((ok) => !ok).length;
console.log(failed === 0 ? `all ${results.length} checks passed` : `${failed} of ${results.length} checks failed`);
process.exit(failed === 0 ? 0 : 1);
