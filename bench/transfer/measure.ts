import { readFileSync } from "node:fs";

/** One whole process, as the operating system accounts for it. */
export interface Measurement {
  readonly wallS: number;
  /** User and system time of the process and what it waited for. */
  readonly cpuS: number;
  /** Peak resident memory, MiB. */
  readonly memoryMiB: number;
}

export interface Contender {
  readonly name: string;
  /** Runs once; `round` is different each time. */
  readonly run: (round: number) => Promise<Measurement>;
}

/** @throws Error with what the process said when it fails */
export async function measure(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Measurement> {
  const startedAtMs = performance.now();
  const child = Bun.spawn([...command], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdout: "ignore",
    stderr: "pipe",
  });
  let memoryKiB = 0;
  const watching = setInterval(() => (memoryKiB = Math.max(memoryKiB, peakKiB(child.pid))), WATCH_EVERY_MS);
  const said = await new Response(child.stderr).text();
  const status = await child.exited;
  clearInterval(watching);
  const wallS = (performance.now() - startedAtMs) / 1000;
  if (status !== 0) throw new Error(`${command[0]} ended with status ${status}: ${said.slice(-2_000)}`);
  const usage = child.resourceUsage();
  return {
    wallS,
    cpuS: Number(usage?.cpuTime.total ?? 0) / 1e6,
    memoryMiB: memoryKiB / 1024,
  };
}

const WATCH_EVERY_MS = 10;

/**
 * Peak resident memory so far. Not the `maxRSS` of the exit: Linux counts there what the process that started it had
 * once held. 0 when it has ended.
 */
function peakKiB(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** A B A B …: each contender once a round, so that a machine that grows slow is slow for all. Medians by contender. */
export async function compare(
  contenders: readonly Contender[],
  rounds: number,
): Promise<ReadonlyMap<string, Measurement>> {
  const samples = new Map<string, Measurement[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of contenders) samples.get(name)?.push(await run(round));
  }
  return new Map([...samples].map(([name, all]) => [name, medians(all)]));
}

function medians(all: readonly Measurement[]): Measurement {
  const of = (pick: (sample: Measurement) => number) => {
    const sorted = all.map(pick).toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  return { wallS: of((s) => s.wallS), cpuS: of((s) => s.cpuS), memoryMiB: of((s) => s.memoryMiB) };
}

/** Rows of a Markdown table, each contender's figures with the ratio of the first one to it. */
export function tableRows(scenario: string, results: ReadonlyMap<string, Measurement>): string[] {
  const [ours] = results.values();
  return [...results].map(([name, { wallS, cpuS, memoryMiB }], index) => {
    const ratio = (mine: number | undefined, theirs: number) =>
      index === 0 || mine === undefined ? "" : ` (${(mine / theirs).toFixed(2)} ×)`;
    return (
      `| ${scenario} | ${name} | ${wallS.toFixed(2)} s${ratio(ours?.wallS, wallS)} ` +
      `| ${cpuS.toFixed(2)} s${ratio(ours?.cpuS, cpuS)} | ${memoryMiB.toFixed(0)} MiB |`
    );
  });
}
