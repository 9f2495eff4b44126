import { type Clock, isoUtc } from "../core/clock.ts";
import { SyncError, toSyncError } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import { isJsonObject } from "../core/json.ts";
import type { Precondition, Provider } from "../providers/contract.ts";
import { lastWords } from "./last-words.ts";
import { bytesSource, readBody } from "./object-bytes.ts";

/** How long a lease holds without being renewed. A holder that died blocks other machines for so long. */
const LEASE_TTL_MS = 120_000;
const RENEW_EVERY_MS = LEASE_TTL_MS / 4;
/** Renewals in a row that fail: with them the lease has run out, whatever the clock says. */
const RENEWALS_MISSED_MAX = LEASE_TTL_MS / RENEW_EVERY_MS;
/** Of a lease that its holder has given back. The object stays, for the next holder to write over. */
const ENDED_TTL_MS = 0;
const FORMAT = 1;

/** Who holds a lease: what other machines are told, and what tells our own dead runs from theirs. */
export interface LeaseHolder {
  /** For people: the machine and process, e.g. `studio-pc, process 4711`. */
  readonly name: string;
  /** One id for each workspace folder on each machine. */
  readonly workspace: string;
}

export interface LeaseTools {
  readonly provider: Provider;
  readonly key: string;
  readonly holder: LeaseHolder;
  readonly newHasher: NewHasher;
  readonly clock: Clock;
}

/** The right to write a snapshot, kept by an object that only one writer can create. */
export interface Lease {
  /** Fires when the lease was lost or `signal` of the run fired: nothing may be written any more. */
  readonly signal: AbortSignal;
  /** False when the store ignores conditional writes, by its capabilities or by the probe: then nothing keeps others out. */
  readonly exclusive: boolean;
  /** @throws SyncError `manifest_conflict` when the lease has run out or was taken over; call before each write that counts */
  check(): void;
  /** Ends the lease; never throws, as it would hide the run's own outcome. */
  release(): Promise<void>;
}

interface LeaseRecord {
  readonly run: string;
  readonly holder: string;
  readonly workspace: string;
  readonly startedAtMs: number;
  readonly renewedAtMs: number;
  readonly ttlMs: number;
}

/**
 * Takes the lease of a snapshot: creates the object, or replaces one that was given back, has run out or was left by a
 * dead run of this very workspace (the caller holds the workspace's own lock, so such a run cannot be alive). Then
 * probes whether the store keeps its word: creating the object once more must fail.
 * @throws SyncError `run_in_progress` telling who holds it since when
 */
export async function acquireLease(tools: LeaseTools, signal: AbortSignal | undefined): Promise<Lease> {
  const now = tools.clock.now();
  const record: LeaseRecord = {
    run: crypto.randomUUID(),
    holder: tools.holder.name,
    workspace: tools.holder.workspace,
    startedAtMs: now,
    renewedAtMs: now,
    ttlMs: LEASE_TTL_MS,
  };
  return new HeldLease(tools, record, await exclusiveVersion(tools, record, signal), signal);
}

/** The version of the record that was written; undefined when the store cannot keep others out. */
async function exclusiveVersion(
  tools: LeaseTools,
  record: LeaseRecord,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (!tools.provider.capabilities.conditionalPut) return undefined;
  const found = await read(tools, signal);
  try {
    const version = await takeOver(tools, record, found, signal);
    return (await isHonest(tools, record, version, signal)) ? version : undefined;
  } catch (error) {
    if (toSyncError(error).code !== "provider_unsupported") throw error;
    return undefined;
  }
}

async function takeOver(
  tools: LeaseTools,
  record: LeaseRecord,
  found: FoundLease | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (found === undefined) return await write(tools, record, { kind: "absent" }, signal).catch(asInProgress);
  const { record: other, version } = found;
  const dead = other === undefined || other.workspace === record.workspace || hasRunOut(other, tools.clock);
  if (!dead) throw inProgress(other, tools.clock);
  return await write(tools, record, { kind: "version", version }, signal).catch(asInProgress);
}

/** A store that takes a second creation of the object ignores conditions. What it then stores is our own record again. */
async function isHonest(
  tools: LeaseTools,
  record: LeaseRecord,
  version: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const probe = { ...record, run: `${record.run}-probe` };
  try {
    await write(tools, probe, { kind: "absent" }, signal);
    return false;
  } catch (error) {
    if (toSyncError(error).code === "precondition_failed") return true;
    const ended = { ...record, ttlMs: ENDED_TTL_MS };
    // Nobody holds the lease then, and nobody gives it back.
    const giveBack = (soon: AbortSignal) => write(tools, ended, { kind: "version", version }, soon);
    await lastWords(signal, tools.clock, giveBack).catch(() => undefined);
    throw error;
  }
}

class HeldLease implements Lease {
  readonly exclusive: boolean;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  readonly #renewing: Promise<void>;
  #record: LeaseRecord;
  #version: string | undefined;

  constructor(
    private readonly tools: LeaseTools,
    record: LeaseRecord,
    version: string | undefined,
    private readonly runSignal: AbortSignal | undefined,
  ) {
    this.#record = record;
    this.#version = version;
    this.exclusive = version !== undefined;
    this.#renewing = this.exclusive ? this.#renewForEver() : Promise.resolve();
  }

  get signal(): AbortSignal {
    return this.runSignal === undefined ? this.#lost.signal : AbortSignal.any([this.runSignal, this.#lost.signal]);
  }

  check(): void {
    if (this.#lost.signal.aborted || (this.exclusive && hasRunOut(this.#record, this.tools.clock))) throw leaseLost();
  }

  async release(): Promise<void> {
    this.#stopped.abort();
    await this.#renewing;
    if (this.#lost.signal.aborted || (this.exclusive && hasRunOut(this.#record, this.tools.clock))) return;
    const { provider, key, clock } = this.tools;
    if (!provider.capabilities.conditionalPut) return;
    const giveBack = async (signal: AbortSignal) => {
      // Where it holds, not by a delete: one repeated for a lost answer would take the next holder's lease away.
      if (this.exclusive) await this.#write({ ...this.#record, ttlMs: ENDED_TTL_MS }, signal);
      else await provider.delete([key], { signal });
    };
    await lastWords(this.runSignal, clock, giveBack).catch(() => undefined);
  }

  async #renewForEver(): Promise<void> {
    const { clock } = this.tools;
    let missed = 0;
    while (!this.#stopped.signal.aborted) {
      try {
        await clock.sleep(RENEW_EVERY_MS, this.#stopped.signal);
        await this.#renew();
        missed = 0;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        missed++;
        // Trouble on the way is tried again until the lease has run out; a foreign record means it was taken.
        const hasEnded = missed >= RENEWALS_MISSED_MAX || hasRunOut(this.#record, clock);
        if (toSyncError(error).code !== "precondition_failed" && !hasEnded) continue;
        this.#lost.abort(leaseLost());
        return;
      }
    }
  }

  /** So much time has passed at least, also where the clock was put back: others read that time by their own. */
  async #renew(): Promise<void> {
    const renewedAtMs = Math.max(this.tools.clock.now(), this.#record.renewedAtMs + RENEW_EVERY_MS);
    const renewed = { ...this.#record, renewedAtMs };
    await this.#write(renewed, this.#stopped.signal);
    this.#record = renewed;
  }

  /**
   * Over the record that was written last. A write that was cut off may have been applied all the same: a version that
   * is not the known one is still this run's own when the record says so.
   * @throws SyncError `precondition_failed` when the lease is another's
   */
  async #write(record: LeaseRecord, signal?: AbortSignal): Promise<void> {
    const over = (version: string): Promise<string> => write(this.tools, record, { kind: "version", version }, signal);
    try {
      this.#version = await over(this.#version ?? "");
    } catch (error) {
      if (toSyncError(error).code !== "precondition_failed") throw error;
      const found = await read(this.tools, signal);
      if (found?.record?.run !== record.run) throw error;
      this.#version = await over(found.version);
    }
  }
}

function hasRunOut(record: LeaseRecord, clock: Clock): boolean {
  return record.ttlMs === ENDED_TTL_MS || clock.now() >= record.renewedAtMs + record.ttlMs;
}

function leaseLost(): SyncError {
  return new SyncError(
    "manifest_conflict",
    "this run was held up for so long that another machine took over the snapshot; run again to build on its state",
  );
}

function inProgress(other: LeaseRecord, clock: Clock): SyncError {
  const since = isoUtc(other.startedAtMs);
  const until = isoUtc(other.renewedAtMs + other.ttlMs);
  // Whether the holder is alive cannot be told then, and waiting may take years: somebody has to look.
  const remedy =
    other.renewedAtMs > clock.now() + LEASE_TTL_MS
      ? `the clock of that machine is ahead of this one's: set both right, and if no run is at work there remove manifests/.<snapshot>.lease.json at the destination (its lease runs out at ${until})`
      : `wait for it to end (if it died, its lease runs out at ${until})`;
  return new SyncError("run_in_progress", `${other.holder} has been writing this snapshot since ${since}; ${remedy}`, {
    details: { holder: other.holder, since, until },
  });
}

function asInProgress(error: unknown): never {
  if (toSyncError(error).code !== "precondition_failed") throw error;
  throw new SyncError("run_in_progress", "another run has just begun to write this snapshot; wait for it to end", {
    cause: error,
  });
}

async function write(
  tools: LeaseTools,
  record: LeaseRecord,
  precondition: Precondition,
  signal: AbortSignal | undefined,
): Promise<string> {
  const text = JSON.stringify({
    format: FORMAT,
    run: record.run,
    holder: record.holder,
    workspace: record.workspace,
    started_at_ms: record.startedAtMs,
    renewed_at_ms: record.renewedAtMs,
    ttl_ms: record.ttlMs,
  });
  const bytes = new TextEncoder().encode(text);
  const hasher = tools.newHasher();
  hasher.update(bytes);
  const stored = await tools.provider.put(tools.key, bytesSource(bytes), {
    sha256: hasher.digestHex(),
    contentType: "application/json",
    precondition,
    ...(signal === undefined ? {} : { signal }),
  });
  return stored.version;
}

interface FoundLease {
  /** One that cannot be read counts as no holder: it was torn or is of a foreign tool. */
  readonly record: LeaseRecord | undefined;
  readonly version: string;
}

async function read(tools: LeaseTools, signal: AbortSignal | undefined): Promise<FoundLease | undefined> {
  const content = await tools.provider.get(tools.key, signal === undefined ? {} : { signal });
  if (content === undefined) return undefined;
  return { record: parseRecord(await readBody(content)), version: content.version };
}

function parseRecord(bytes: Uint8Array): LeaseRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { run, holder, workspace, started_at_ms, renewed_at_ms, ttl_ms } = value;
  if (typeof run !== "string" || typeof holder !== "string" || typeof workspace !== "string") return undefined;
  if (!isTime(started_at_ms) || !isTime(renewed_at_ms) || !isTime(ttl_ms)) return undefined;
  return { run, holder, workspace, startedAtMs: started_at_ms, renewedAtMs: renewed_at_ms, ttlMs: ttl_ms };
}

/** Half of what a date can be: also the sum of two is one. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= 4e15;
}
