import type { NewHasher } from "../core/hash.ts";
import type { TreeReader } from "../platform/contract.ts";
import { type Offer, offer } from "../threads/thread-service.ts";
import { FolderHasher } from "./folder-hasher.ts";
import { HASH_WORK, type HashAnswer } from "./hash-job.ts";

/** Hashing, done in another thread. */
export function offerHashing(tree: TreeReader, newHasher: NewHasher): Offer {
  let onBytes: (count: number) => void = () => undefined;
  const hasher = new FolderHasher(tree, newHasher, (count) => onBytes(count));
  return offer(
    HASH_WORK,
    async (terms, jobs, request) => {
      onBytes = request.onBytes;
      const answers: HashAnswer[] = [];
      for (const job of jobs) answers.push(await hasher.run(job, terms, request.turn));
      return answers;
    },
    buffersOf,
  );
}

function buffersOf(answer: HashAnswer): ArrayBuffer[] {
  const files = answer.kind === "folder" ? answer.files : answer;
  return files?.kind === "files" && files.record !== undefined ? [files.record.buffer] : [];
}
