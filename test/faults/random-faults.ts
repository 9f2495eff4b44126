import { CANNED_ANSWERS, type CannedAnswer, type Fault, type ScriptedFault } from "./fault-script.ts";
import type { RequestClass } from "./s3-request.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** How many requests of a class a scenario makes at least: so far a fault can be put and is sure to fire. */
export type RequestCounts = Readonly<Partial<Record<RequestClass, number>>>;

export interface RandomFaultLimits {
  /** Shorter than the client's own patience. */
  readonly delayMsMax: number;
  readonly refuseMsMax: number;
}

const ANSWERS = Object.keys(CANNED_ANSWERS) as CannedAnswer[];
/** Requests with a body that is worth cutting. */
const WITH_BODY: ReadonlySet<RequestClass> = new Set(["small_put", "part_put"]);
/** Requests whose answers have one. */
const WITH_ANSWER: ReadonlySet<RequestClass> = new Set([
  "control_get",
  "list",
  "copy",
  "begin_multipart",
  "complete_multipart",
  "delete_batch",
]);

/** `count` faults that a client which repeats what may be repeated survives; each meets a request of its own. */
export function randomFaults(
  random: SeededRandom,
  count: number,
  counts: RequestCounts,
  limits: RandomFaultLimits,
): ScriptedFault[] {
  const faults = new Map<string, ScriptedFault>();
  const classes = Object.keys(counts) as RequestClass[];
  // Each costs the client all its patience, or every other request its connection.
  let costly = 2;
  while (faults.size < count) {
    const on = random.pick(classes);
    const nth = random.integer(1, counts[on] ?? 1);
    const fault = randomFault(random, on, limits, costly > 0);
    if (fault.kind === "stall" || fault.kind === "refuse") costly--;
    faults.set(`${on} ${nth}`, { on, nth, fault });
  }
  return [...faults.values()];
}

function randomFault(
  random: SeededRandom,
  on: RequestClass,
  { delayMsMax, refuseMsMax }: RandomFaultLimits,
  mayBeCostly: boolean,
): Fault {
  const kinds: Fault["kind"][] = ["reset_before", "reset_after", "reset_after", "delay", "answer", "answer", "answer"];
  if (WITH_BODY.has(on)) kinds.push("reset_in_body");
  if (WITH_ANSWER.has(on)) kinds.push("truncate");
  if (mayBeCostly) kinds.push("stall", "refuse");
  const kind = random.pick(kinds);
  if (kind === "delay") return { kind, ms: random.integer(10, delayMsMax) };
  if (kind === "refuse") return { kind, ms: random.integer(100, refuseMsMax) };
  return kind === "answer" ? { kind, answer: random.pick(ANSWERS) } : { kind };
}
