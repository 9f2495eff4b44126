import { randomBytes } from "node:crypto";
import { DriveError } from "./drive-error.ts";
import type { FakeClock } from "./fake-clock.ts";
import type { ChangeOptions } from "./file-changes.ts";
import type { FileMetadata } from "./file-metadata.ts";
import type { FileRecord } from "./file-record.ts";
import type { Session } from "./tokens.ts";

/** Every chunk but the last is a multiple of this long. */
export const CHUNK_UNIT_BYTES = 262_144;
const LIFE_MS = 7 * 24 * 3600 * 1000;
const EMPTY = Buffer.alloc(0);

/** What an upload session was opened with. */
export interface UploadPlan {
  /** The file whose content is replaced; undefined when a new one is made. */
  readonly fileId: string | undefined;
  readonly metadata: FileMetadata;
  readonly options: ChangeOptions;
  readonly owner: Session;
  readonly type: string | undefined;
  /** `X-Upload-Content-Length`. */
  readonly total: number | undefined;
  /** The answer's fields, asked for when the session was opened. */
  readonly fields: string | undefined;
}

/** A resumable upload: nothing of it can be seen until all of it is there. */
export class UploadSession {
  readonly id = `AFak${randomBytes(40).toString("base64url")}`;
  /** The file that it became. */
  done: FileRecord | undefined;
  #pieces: Buffer[] = [];
  #received = 0;
  #sentMost = 0;

  constructor(
    readonly plan: UploadPlan,
    readonly expiresMs: number,
  ) {}

  /** Bytes that are there, from the first one on. */
  get received(): number {
    return this.#received;
  }

  /** What arrived. */
  get bytes(): Buffer {
    this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? EMPTY;
  }

  /** Keeps a chunk that begins at `first`, without what is there already. */
  append(first: number, chunk: Buffer): void {
    const fresh = chunk.subarray(Math.max(0, this.#received - first));
    if (first > this.#received || fresh.length === 0) return;
    this.#pieces.push(fresh);
    this.#received += fresh.length;
  }

  /** Notes that bytes from `first` on have come in. @returns how many of them had come before */
  noteSent(first: number, bytes: number): number {
    const again = Math.min(bytes, Math.max(0, this.#sentMost - first));
    this.#sentMost = Math.max(this.#sentMost, first + bytes);
    return again;
  }
}

/** All sessions, by id. One ends a week after it was opened. */
export class UploadSessions {
  /** What a session that has ended answers. */
  endedStatus: 404 | 410 = 404;
  readonly #sessions = new Map<string, UploadSession>();

  constructor(private readonly clock: FakeClock) {}

  open(plan: UploadPlan): UploadSession {
    const session = new UploadSession(plan, this.clock.now() + LIFE_MS);
    this.#sessions.set(session.id, session);
    return session;
  }

  /** @throws DriveError 404 or 410 when there is none (any more) */
  find(id: string): UploadSession {
    const session = this.#sessions.get(id);
    if (session === undefined || session.expiresMs <= this.clock.now()) throw sessionEnded(this.endedStatus);
    return session;
  }

  end(id: string): void {
    this.#sessions.delete(id);
  }

  get ids(): string[] {
    return [...this.#sessions.keys()];
  }

  /** Sessions that are open and have not become a file. */
  get unfinished(): number {
    return [...this.#sessions.values()].filter(({ done }) => done === undefined).length;
  }
}

export function sessionEnded(status: 404 | 410): DriveError {
  return new DriveError(status, "notFound", "The upload session has expired or does not exist.");
}
