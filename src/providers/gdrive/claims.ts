import { type Clock, systemClock } from "../../core/clock.ts";
import { SyncError } from "../../core/errors.ts";
import type { DriveFile } from "./drive-file.ts";
import { CLAIM, childrenQuery, type DrivePlace, hashOf, inRank, isAt, propertyQuery, queryFor } from "./names.ts";
import { statusOf } from "./refusal.ts";
import type { StoreTools } from "./store.ts";

const WRITER = "comfyvn_writer";
const FILE_NAME = ".comfyvn-claim";
/** A writer that takes longer between its claim and its write than this part of a claim's life gives up. */
const USABLE_PART = 0.5;
const WAIT_MS = { min: 50, max: 250 };

/**
 * How many writers of this process hold a claim, or are about to announce themselves by it. Claims of our own that nobody
 * holds were left by a process that died. Counted: of two writers at one ticket the loser must not let go for the winner.
 */
const holders = new Map<string, number>();

function hold(id: string): void {
  holders.set(id, (holders.get(id) ?? 0) + 1);
}

function letGo(id: string): void {
  const left = (holders.get(id) ?? 0) - 1;
  if (left > 0) holders.set(id, left);
  else holders.delete(id);
}

/** The right to write a key for a moment: a file that keeps others out. */
export interface Claimed {
  readonly id: string;
  /** The key's file, where the search that won has seen it. */
  readonly found: DriveFile | undefined;
  /** @throws SyncError `precondition_failed` (retryable) when so much time has passed that others take us for dead */
  checkAge(): void;
}

/**
 * Removes the claims that writers have left which died: those of this workspace and snapshot, and those that are too old. The files
 * are small and harm nobody, as each names its key; they would only gather.
 * @throws SyncError what Drive throws
 */
export async function discardDeadClaims(tools: StoreTools, signal: AbortSignal | undefined): Promise<void> {
  const { catalog, files } = tools;
  for (const folder of new Set([catalog.manifests, catalog.objects])) {
    await folder.checkOnce(signal);
    const q = `${childrenQuery(folder.id)} and ${queryFor({ kind: "control", name: FILE_NAME })}`;
    for await (const file of files.list(q, folder.driveId, signal)) {
      if (CLAIM in file.properties && (await isDead(tools, file, systemClock))) await remove(tools, file.id);
    }
  }
}

/** The claims on one key. */
export class Claims {
  readonly #tools: StoreTools;
  readonly #place: DrivePlace;
  readonly #keyHash: string;
  readonly #clock: Clock;
  readonly #notGivenBack = new WeakSet<Claimed>();

  constructor(tools: StoreTools, key: string, place: DrivePlace, clock: Clock) {
    this.#tools = tools;
    this.#place = place;
    this.#keyHash = hashOf(key);
    this.#clock = clock;
  }

  /**
   * By creating the file that the key's present version names. undefined when that can no more be done: the file is gone
   * or was left by a writer that died.
   * @throws SyncError `precondition_failed` when another writer has created it
   */
  async byTicket(id: string, signal: AbortSignal | undefined): Promise<Claimed | undefined> {
    const since = this.#clock.now();
    try {
      await this.#announce(id, signal);
      return this.#claimed(id, since, undefined);
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
    }
    const ticket = await this.#tools.files.get(id, signal);
    if (ticket === undefined || ticket.trashed) return undefined;
    if (!(await isDead(this.#tools, ticket, this.#clock))) throw lost();
    if (await isOwn(this.#tools, ticket)) {
      // Another writer of this process may have found it out meanwhile.
      if (holders.has(id)) throw lost();
      hold(id);
      return this.#claimed(id, since, undefined);
    }
    await remove(this.#tools, id);
    return undefined;
  }

  /**
   * By a file of our own that other writers find. Who finds another's with a smaller id goes; who has the smallest waits
   * until the others have gone. Of two that announce themselves the later one sees the earlier, so that not both win.
   * @throws SyncError `precondition_failed`
   */
  async byElection(signal: AbortSignal | undefined): Promise<Claimed> {
    const { connection, ids } = this.#tools;
    const id = await ids.take(signal);
    const since = this.#clock.now();
    try {
      await this.#announce(id, signal);
    } catch (error) {
      // With the answer lost it may be there all the same.
      await remove(this.#tools, id);
      throw error;
    }
    try {
      for (;;) {
        const { claims, found } = await this.#search(signal);
        const others: DriveFile[] = [];
        for (const claim of claims) {
          if (claim.id === id) continue;
          if (await isDead(this.#tools, claim, this.#clock)) await remove(this.#tools, claim.id);
          else others.push(claim);
        }
        if (others.length === 0) return this.#claimed(id, since, found);
        if (others.some((other) => other.id < id) || this.#clock.now() - since > connection.limits.claimMs)
          throw lost();
        await this.#clock.sleep(WAIT_MS.min + Math.random() * (WAIT_MS.max - WAIT_MS.min), signal);
      }
    } catch (error) {
      await remove(this.#tools, id);
      letGo(id);
      throw error;
    }
  }

  /** Lets others in. Safe to call twice; never throws. */
  async giveBack(claimed: Claimed): Promise<void> {
    if (!this.#notGivenBack.delete(claimed)) return;
    await remove(this.#tools, claimed.id);
    letGo(claimed.id);
  }

  /** Holds the claim when it resolves. */
  async #announce(id: string, signal: AbortSignal | undefined): Promise<void> {
    const { files, catalog } = this.#tools;
    hold(id);
    try {
      const appProperties = { [CLAIM]: this.#keyHash, [WRITER]: await writerOf(this.#tools) };
      const parents = [catalog.folderOf(this.#place).id];
      await files.create({ id, name: FILE_NAME, mimeType: "application/octet-stream", parents, appProperties }, signal);
    } catch (error) {
      // With the answer lost it may be there all the same: then the next attempt finds it and knows it for its own.
      letGo(id);
      throw error;
    }
  }

  async #search(signal: AbortSignal | undefined) {
    const { files, catalog } = this.#tools;
    const folder = catalog.folderOf(this.#place);
    const q = `${childrenQuery(folder.id)} and (${queryFor(this.#place)} or ${propertyQuery(CLAIM, this.#keyHash)})`;
    const claims: DriveFile[] = [];
    const found: DriveFile[] = [];
    for await (const file of files.list(q, folder.driveId, signal)) {
      if (file.properties[CLAIM] === this.#keyHash) claims.push(file);
      else if (isAt(file, this.#place)) found.push(file);
    }
    return { claims, found: inRank(found)[0] };
  }

  /** Of a claim that is held. */
  #claimed(id: string, since: number, found: DriveFile | undefined): Claimed {
    const { claimMs } = this.#tools.connection.limits;
    const checkAge = () => {
      if (this.#clock.now() - since > claimMs * USABLE_PART) throw lost();
    };
    const claimed = { id, found, checkAge };
    this.#notGivenBack.add(claimed);
    return claimed;
  }
}

async function isDead(tools: StoreTools, claim: DriveFile, clock: Clock): Promise<boolean> {
  if (holders.has(claim.id)) return false;
  return (await isOwn(tools, claim)) || clock.now() - claim.createdAtMs > tools.connection.limits.claimMs;
}

/** Left by a run of this very workspace and snapshot, which keep each other out. */
async function isOwn(tools: StoreTools, claim: DriveFile): Promise<boolean> {
  return claim.properties[WRITER] === (await writerOf(tools));
}

async function writerOf(tools: StoreTools): Promise<string> {
  return hashOf(await tools.writer()).slice(0, 32);
}

/** For good or into the trash; never throws. */
async function remove({ files, connection }: StoreTools, id: string): Promise<void> {
  const signal = AbortSignal.timeout(connection.limits.abortMs);
  await files.remove(id, signal).catch(async () => {
    await files.update(id, { trashed: true }, signal).catch(() => undefined);
  });
}

function lost(): SyncError {
  return new SyncError("precondition_failed", "another writer was at the object at the same time", { retryable: true });
}
