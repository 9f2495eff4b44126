import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { SyncError } from "../../core/errors.ts";
import type { Database, SqlValue } from "../../platform/contract.ts";
import {
  type Attempt,
  type DeadLetter,
  type DeadReason,
  type Delivery,
  delivery,
  type LoggedAttempt,
  number,
  type QueuedEvent,
  queuedEvent,
  type TargetState,
  text,
} from "./delivery-rows.ts";

/**
 * Beside the subscriptions and not under cache: whoever empties a cache expects to lose time, not events. No manifest and
 * no backup holds it, since restoring it would send old events again.
 */
export const QUEUE_FILE = "data/webhooks.sqlite";

/** "cvwq": tells our database from another application's. */
const APPLICATION_ID = 0x63767771;
const FORMAT = 1;
const BUSY_MS = 2_000;

/** Of one target: what is older becomes a dead letter. */
const PENDING_MAX = 10_000;
const DEAD_MAX = 10_000;
const ATTEMPTS_KEPT = 1_000;

const SCHEMA = `
  CREATE TABLE identity (key BLOB NOT NULL) STRICT;
  CREATE TABLE held (seq INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL, event TEXT NOT NULL,
    body TEXT NOT NULL, queued_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL, event TEXT NOT NULL,
    target TEXT NOT NULL, body TEXT NOT NULL, queued_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    dead_ms INTEGER, reason TEXT) STRICT;
  CREATE INDEX pending ON deliveries (target, seq) WHERE dead_ms IS NULL;
  CREATE TABLE targets (target TEXT PRIMARY KEY, failures INTEGER NOT NULL, next_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE attempts (seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, delivery INTEGER NOT NULL,
    message TEXT NOT NULL, event TEXT NOT NULL, target TEXT NOT NULL, duration_ms INTEGER NOT NULL, status INTEGER,
    failure TEXT) STRICT;`;

/**
 * Events on their way to webhooks, in SQLite. Whatever a method has done is on the disk when it returns. Holds no secret
 * and no address: a target is a keyed hash of its URL.
 *
 * Every method throws SyncError `lock_busy` or `file_unreadable` as the database does.
 */
export class DeliveryQueue {
  readonly #database: Database;
  readonly #key: Uint8Array;

  /** Takes the open database over; makes the tables when it is new. @throws SyncError `file_unreadable` when it is not ours */
  constructor(database: Database) {
    this.#database = database;
    try {
      this.#prepare();
      this.#key = this.#identity();
    } catch (error) {
      database.close();
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  /** The name of an address in this queue: says nothing of the address to whoever has not this file. */
  targetOf(url: string): string {
    return bytesToHex(hmac(sha256, this.#key, utf8ToBytes(url))).slice(0, 24);
  }

  /** Queues `events` for addresses, in their order. */
  add(events: readonly (QueuedEvent & { readonly url: string })[]): void {
    if (events.length > 0) this.#transaction(() => events.forEach((event) => this.#insert(event)));
  }

  /** Keeps an event of which nobody can say now who is to get it. */
  hold({ message, event, body, queuedMs }: QueuedEvent): void {
    this.#transaction(() => {
      this.#run(
        "INSERT INTO held (message, event, body, queued_ms) VALUES (?, ?, ?, ?)",
        ...[message, event, body, queuedMs],
      );
      this.#run("DELETE FROM held WHERE seq <= (SELECT max(seq) FROM held) - ?", PENDING_MAX);
    });
  }

  get holds(): boolean {
    return this.#rows("SELECT 1 FROM held LIMIT 1").length > 0;
  }

  /** Queues what was held for those that `urlsOf` names, before anything newer. */
  release(urlsOf: (event: string) => readonly string[]): void {
    if (!this.holds) return;
    this.#transaction(() => {
      for (const row of this.#rows("SELECT message, event, body, queued_ms FROM held ORDER BY seq")) {
        const event = queuedEvent(row);
        for (const url of urlsOf(event.event)) this.#insert({ ...event, url });
      }
      this.#run("DELETE FROM held");
    });
  }

  /** Targets with something to send whose rest is over. */
  dueTargets(nowMs: number): string[] {
    return this.#rows(
      `SELECT DISTINCT target FROM deliveries LEFT JOIN targets USING (target)
       WHERE dead_ms IS NULL AND coalesce(next_ms, 0) <= ?`,
      nowMs,
    ).map(({ target }) => text(target));
  }

  /** When the next target's rest is over; undefined when nothing waits. */
  nextDueMs(): number | undefined {
    const [row] = this.#rows(
      `SELECT min(coalesce(next_ms, 0)) AS next FROM (SELECT DISTINCT target FROM deliveries WHERE dead_ms IS NULL)
       LEFT JOIN targets USING (target)`,
    );
    return typeof row?.["next"] === "number" ? row["next"] : undefined;
  }

  /** What `target` is to get next. */
  head(target: string): Delivery | undefined {
    const [row] = this.#rows(
      "SELECT * FROM deliveries WHERE dead_ms IS NULL AND target = ? ORDER BY seq LIMIT 1",
      target,
    );
    return row === undefined ? undefined : delivery(row);
  }

  delivered(done: Delivery, attempt: Attempt): void {
    this.#transaction(() => {
      this.#log(done, attempt);
      this.#run("DELETE FROM deliveries WHERE seq = ?", done.id);
      this.#run("DELETE FROM targets WHERE target = ?", done.target);
    });
  }

  /**
   * The target rests until `nextMs`; the event becomes a dead letter after `attemptsMax` attempts, and with it all that
   * have waited since before `expiredMs`.
   */
  failed(
    tried: Delivery,
    attempt: Attempt,
    rest: { readonly nextMs: number; readonly attemptsMax: number; readonly expiredMs: number },
  ): DeadReason | undefined {
    return this.#transaction(() => {
      this.#log(tried, attempt);
      this.#run("UPDATE deliveries SET attempts = attempts + 1 WHERE seq = ?", tried.id);
      this.#run(
        `INSERT INTO targets (target, failures, next_ms) VALUES (?, 1, ?)
         ON CONFLICT (target) DO UPDATE SET failures = failures + 1, next_ms = excluded.next_ms`,
        tried.target,
        rest.nextMs,
      );
      this.#bury("expired", attempt.atMs, "target = ? AND queued_ms < ?", tried.target, rest.expiredMs);
      if (tried.queuedMs < rest.expiredMs) return "expired";
      if (tried.attempts + 1 < rest.attemptsMax) return undefined;
      this.#bury("attempts", attempt.atMs, "seq = ?", tried.id);
      return "attempts";
    });
  }

  /** Nobody is to get it any more. */
  bury({ id }: Delivery, reason: DeadReason, nowMs: number): void {
    this.#transaction(() => this.#bury(reason, nowMs, "seq = ?", id));
  }

  /** Drops what waits for a subscription that its owner deleted. */
  forget(event: string, url: string): void {
    this.#run("DELETE FROM deliveries WHERE dead_ms IS NULL AND event = ? AND target = ?", event, this.targetOf(url));
  }

  stateOf(url: string): TargetState {
    const target = this.targetOf(url);
    const [waiting] = this.#rows("SELECT count(*) AS n FROM deliveries WHERE dead_ms IS NULL AND target = ?", target);
    const [state] = this.#rows("SELECT failures, next_ms FROM targets WHERE target = ?", target);
    return {
      pending: number(waiting?.["n"]),
      failures: number(state?.["failures"]),
      nextMs: number(state?.["next_ms"]),
    };
  }

  /** In the order in which they will be sent to their targets. */
  pending(limit: number): Delivery[] {
    return this.#rows("SELECT * FROM deliveries WHERE dead_ms IS NULL ORDER BY seq LIMIT ?", limit).map(delivery);
  }

  /** The latest first. */
  deadLetters(limit: number): DeadLetter[] {
    const rows = this.#rows(
      "SELECT * FROM deliveries WHERE dead_ms IS NOT NULL ORDER BY dead_ms DESC, seq DESC LIMIT ?",
      limit,
    );
    return rows.map((row) => ({
      ...delivery(row),
      deadMs: number(row["dead_ms"]),
      reason: text(row["reason"]) as DeadReason,
    }));
  }

  /** The latest first. */
  attempts(limit: number): LoggedAttempt[] {
    return this.#rows("SELECT * FROM attempts ORDER BY seq DESC LIMIT ?", limit).map((row) => ({
      delivery: number(row["delivery"]),
      message: text(row["message"]),
      event: text(row["event"]),
      target: text(row["target"]),
      atMs: number(row["at_ms"]),
      durationMs: number(row["duration_ms"]),
      status: typeof row["status"] === "number" ? row["status"] : undefined,
      failure: typeof row["failure"] === "string" ? row["failure"] : undefined,
    }));
  }

  /** Queues dead letters again, behind what waits and in their old order; their targets rest no longer. How many. */
  redeliver(ids: readonly number[] | undefined, nowMs: number): number {
    return this.#transaction(() => {
      const wanted = ids === undefined ? undefined : new Set(ids);
      const dead = this.#rows("SELECT * FROM deliveries WHERE dead_ms IS NOT NULL ORDER BY seq")
        .map(delivery)
        .filter(({ id }) => wanted?.has(id) ?? true);
      for (const each of dead) {
        this.#run("DELETE FROM deliveries WHERE seq = ?", each.id);
        // As new: an old date would bury it at its first failure.
        this.#put({ ...each, queuedMs: nowMs }, each.target);
        this.#run("UPDATE targets SET next_ms = 0 WHERE target = ?", each.target);
      }
      // Who asks for everything says that the receivers are well again.
      if (wanted === undefined) this.#run("UPDATE targets SET next_ms = 0");
      return dead.length;
    });
  }

  #insert(event: QueuedEvent & { readonly url: string }): void {
    const target = this.targetOf(event.url);
    this.#put(event, target);
    const [row] = this.#rows("SELECT count(*) AS n FROM deliveries WHERE dead_ms IS NULL AND target = ?", target);
    const over = number(row?.["n"]) - PENDING_MAX;
    if (over <= 0) return;
    const oldest = "seq IN (SELECT seq FROM deliveries WHERE dead_ms IS NULL AND target = ? ORDER BY seq LIMIT ?)";
    this.#bury("queue_full", event.queuedMs, oldest, target, over);
  }

  #put({ message, event, body, queuedMs }: QueuedEvent, target: string): void {
    this.#run(
      "INSERT INTO deliveries (message, event, target, body, queued_ms) VALUES (?, ?, ?, ?, ?)",
      ...[message, event, target, body, queuedMs],
    );
  }

  #bury(reason: DeadReason, nowMs: number, which: string, ...values: readonly SqlValue[]): void {
    this.#run(
      `UPDATE deliveries SET dead_ms = ?, reason = ? WHERE dead_ms IS NULL AND ${which}`,
      nowMs,
      reason,
      ...values,
    );
    this.#run(
      `DELETE FROM deliveries WHERE seq IN
       (SELECT seq FROM deliveries WHERE dead_ms IS NOT NULL ORDER BY dead_ms DESC, seq DESC LIMIT -1 OFFSET ?)`,
      DEAD_MAX,
    );
  }

  #log({ id, message, event, target }: Delivery, { atMs, durationMs, status, failure }: Attempt): void {
    this.#run(
      `INSERT INTO attempts (at_ms, delivery, message, event, target, duration_ms, status, failure)
       VALUES (?, ?, ?, ?, ?, ?, nullif(?, 0), nullif(?, ''))`,
      ...[atMs, id, message, event, target, durationMs, status ?? 0, failure ?? ""],
    );
    this.#run("DELETE FROM attempts WHERE seq <= (SELECT max(seq) FROM attempts) - ?", ATTEMPTS_KEPT);
  }

  #prepare(): void {
    // WAL: one write to the disk a commit. Where it cannot be had (some network mounts) SQLite keeps its usual journal.
    this.#database.execute(
      `PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF`,
    );
    this.#transaction(() => {
      const id = this.#pragma("application_id");
      const [{ tables } = { tables: 0 }] = this.#rows("SELECT count(*) AS tables FROM sqlite_schema");
      if (id === 0 && tables === 0) {
        this.#database.execute(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}; ${SCHEMA}`);
        this.#run("INSERT INTO identity (key) VALUES (?)", new Uint8Array(randomBytes(32)));
      } else if (id !== APPLICATION_ID || this.#pragma("user_version") !== FORMAT) {
        throw new SyncError("file_unreadable", `${QUEUE_FILE} is not a queue of this version; move it away`);
      }
    });
  }

  #identity(): Uint8Array {
    const key = this.#rows("SELECT key FROM identity")[0]?.["key"];
    if (key instanceof Uint8Array) return key;
    throw new SyncError("file_unreadable", `${QUEUE_FILE} is damaged; move it away`);
  }

  #pragma(name: "application_id" | "user_version"): unknown {
    return this.#rows(`PRAGMA ${name}`)[0]?.[name];
  }

  #transaction<T>(act: () => T): T {
    this.#database.execute("BEGIN IMMEDIATE");
    try {
      const result = act();
      this.#database.execute("COMMIT");
      return result;
    } catch (error) {
      try {
        this.#database.execute("ROLLBACK");
      } catch {
        // The system may have rolled back already; what went wrong first is what counts.
      }
      throw error;
    }
  }

  #run(sql: string, ...values: readonly SqlValue[]): void {
    this.#database.run(sql, ...values);
  }

  #rows(sql: string, ...values: readonly SqlValue[]): readonly Readonly<Record<string, unknown>>[] {
    return this.#database.rows(sql, ...values);
  }
}
