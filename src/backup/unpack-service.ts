import { SyncError, toSyncError } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import type { Compression, Files, TreeWriter } from "../platform/contract.ts";
import { type Offer, offer, type Request } from "../threads/thread-service.ts";
import { archiveFault } from "./archive-fault.ts";
import { ArchiveFile } from "./archive-file.ts";
import { contentItems } from "./content-items.ts";
import { KnownFiles } from "./known-files.ts";
import { nowhere, readContents, WHOLE_BYTES_MAX } from "./read-contents.ts";
import { RestoreSink } from "./restore-sink.ts";
import {
  type Identity,
  type ToldFault,
  UNPACK_WORK,
  type UnpackAnswer,
  type UnpackJob,
  type UnpackTerms,
} from "./unpack-job.ts";
import { ArchiveDirectory } from "./zip-directory.ts";

export interface UnpackSurroundings {
  readonly files: Files;
  readonly openTreeWriter: (root: string) => TreeWriter;
  readonly compression: Compression;
  readonly newHasher: NewHasher;
  /** Of this thread. */
  readonly reclaimMemory: () => void;
}

/** A job leaves up to 4 MB of buffers behind, of which the runtime takes too little notice by itself. */
const JOBS_LEFT_BEHIND_MAX = 16;

/** Checking and restoring the files of an archive, done in another thread. */
export function offerUnpacking(around: UnpackSurroundings): Offer {
  let jobsDone = 0;
  return offer(UNPACK_WORK, async (terms, jobs, request) => {
    const answers: UnpackAnswer[] = [];
    for (const job of jobs) {
      answers.push(await unpackJob(around, terms, job, request));
      if (++jobsDone % JOBS_LEFT_BEHIND_MAX === 0) around.reclaimMemory();
    }
    return answers;
  });
}

/** Never throws: what is done has to be told in any case. */
async function unpackJob(
  around: UnpackSurroundings,
  terms: UnpackTerms,
  { part, known, replaces, goesOn }: UnpackJob,
  { turn, signal, onBytes }: Request,
): Promise<UnpackAnswer> {
  const done: number[] = [];
  const faults: ToldFault[] = [];
  let writer: TreeWriter | undefined;
  let file: ArchiveFile | undefined;
  try {
    file = await openArchive(around, terms, part.ends.at(-1));
    writer = await openRoot(around, terms);
    const reading = { ...around, file, inflateHereBytesMax: WHOLE_BYTES_MAX };
    const directory = ArchiveDirectory.ofPart(part, around.compression);
    const items = contentItems(directory, known && new KnownFiles(known), part.ends.keys(), new Set(replaces));
    await readContents(reading, items, writer === undefined ? nowhere : new RestoreSink(writer), {
      turn,
      signal,
      onBytes,
      onFile: (place) => done.push(place),
      takesFault: (place, error) => {
        faults.push(told(error, place));
        return goesOn;
      },
    });
  } catch (error) {
    // The first fault of an entry has been noted before it was thrown.
    if (goesOn || faults.length === 0) faults.push(told(error, undefined));
  } finally {
    writer?.close();
    await file?.close();
  }
  return { done, faults };
}

async function openArchive(
  { files }: UnpackSurroundings,
  { archive }: UnpackTerms,
  aheadEnd: number | undefined,
): Promise<ArchiveFile> {
  const file = await ArchiveFile.of(await files.openRead(archive.native), aheadEnd);
  if (isSame(await file.stat(), archive.identity)) return file;
  await file.close();
  throw archiveFault("was replaced while it was read");
}

async function openRoot(
  { files, openTreeWriter }: UnpackSurroundings,
  { root }: UnpackTerms,
): Promise<TreeWriter | undefined> {
  if (root === undefined) return undefined;
  const writer = openTreeWriter(root.native);
  const stat = await files.stat(root.native);
  if (stat !== undefined && stat.inode === root.identity.inode && stat.device === root.identity.device) return writer;
  writer.close();
  throw new SyncError("restore_conflict", "the workspace folder was replaced by another during the restore");
}

function isSame(a: Identity, b: Identity): boolean {
  return a.inode === b.inode && a.device === b.device && a.size === b.size;
}

function told(error: unknown, place: number | undefined): ToldFault {
  const { code, message, details } = toSyncError(error);
  return { place, code, message, details };
}
