import type { Compression } from "../platform/contract.ts";
import { type Offer, offer } from "../threads/thread-service.ts";
import { DEFLATE_WORK, deflateMany, type PackedFiles } from "./deflate-job.ts";

/** Compressing small files, done in another thread. */
export function offerDeflating(compression: Compression): Offer {
  return offer(
    DEFLATE_WORK,
    async (_, jobs, { turn }) => {
      const answers: PackedFiles[] = [];
      for (const job of jobs) {
        answers.push(deflateMany(compression, job));
        // A cancellation is heard of between jobs, each of which takes some milliseconds.
        if (turn.due()) await turn.pause();
      }
      return answers;
    },
    ({ bytes, lengths }) => [bytes.buffer, lengths.buffer],
  );
}
