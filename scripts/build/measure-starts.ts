import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Medians over the starts. */
export interface Starts {
  /** From the start of the process to its line on stdout. */
  readonly wallMs: number;
  /** User and system time of all its processes up to that line; undefined where the system has no /proc. */
  readonly cpuMs: number | undefined;
  /** Resident memory of its largest process, a second later; undefined where the system has no /proc. */
  readonly memoryMiB: number | undefined;
}

const IDLE_MS = 1_000;
const TICK_MS = 10;

/** Starts `command serve` in an empty workspace `count` times, one after the other. @throws Error when it does not listen */
export async function measureStarts(command: readonly string[], count: number): Promise<Starts> {
  const samples: Sample[] = [];
  for (let i = 0; i < count; i++) samples.push(await measureStart(command));
  return {
    wallMs: Math.round(median(samples.map(({ wallMs }) => wallMs))),
    cpuMs: roundedMedian(samples.map(({ cpuMs }) => cpuMs)),
    memoryMiB: roundedMedian(samples.map(({ memoryMiB }) => memoryMiB)),
  };
}

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number | undefined;
  readonly memoryMiB: number | undefined;
}

async function measureStart(command: readonly string[]): Promise<Sample> {
  const root = mkdtempSync(join(tmpdir(), "comfyvn-start-"));
  const startedAtMs = performance.now();
  // A group of its own, so that what `bun run` starts is counted and ended as well.
  const child = Bun.spawn([...command, "serve", "--port", "0", "--root", root], {
    env: { PATH: process.env["PATH"] ?? "", HOME: root },
    cwd: root,
    detached: true,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  try {
    await firstLine(child.stdout, child.stderr);
    const wallMs = performance.now() - startedAtMs;
    const cpuMs = sumOf(processesOf(child.pid).map(({ ticks }) => ticks * TICK_MS));
    await Bun.sleep(IDLE_MS);
    const sizes = processesOf(child.pid).map(({ residentMiB }) => residentMiB);
    return { wallMs, cpuMs, memoryMiB: sizes.length === 0 ? undefined : Math.max(...sizes) };
  } finally {
    process.kill(-child.pid, "SIGKILL");
    await child.exited;
    rmSync(root, { recursive: true, force: true });
  }
}

async function firstLine(stdout: ReadableStream<Uint8Array>, stderr: ReadableStream<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("listening on http://")) return;
  }
  throw new Error(`ended before it listened: ${text}${await new Response(stderr).text()}`);
}

interface ProcessState {
  readonly ticks: number;
  readonly residentMiB: number;
}

/** The processes of a group, from /proc; none where there is no such thing. */
function processesOf(group: number): ProcessState[] {
  const found: ProcessState[] = [];
  for (const pid of procEntries().filter((name) => /^\d+$/.test(name))) {
    try {
      // Behind the name, which may hold anything: state, ppid, pgrp, …, utime (12th), stime (13th).
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      if (Number(fields[2]) !== group) continue;
      const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      found.push({ ticks: Number(fields[11]) + Number(fields[12]), residentMiB: Number(kib ?? 0) / 1024 });
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

function procEntries(): string[] {
  try {
    return readdirSync("/proc");
  } catch {
    return [];
  }
}

function sumOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

function roundedMedian(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.round(median(known));
}

function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  return ordered[Math.floor(ordered.length / 2)] ?? Number.NaN;
}
