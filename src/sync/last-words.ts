import type { Clock } from "../core/clock.ts";
import { SyncError } from "../core/errors.ts";

/** A server has ten seconds to end; some runs have two such things to say, and providers something to put in order before. */
const LAST_WORDS_MS = 2_000;

/**
 * What is still to be told to the store when a run ends, be it cancelled: that its lease is free, or what it may have
 * stored. A store that answers nothing is waited for no longer than seconds once `cancelled` has fired.
 * @param tell is given a signal that fires then
 */
export async function lastWords<T>(
  cancelled: AbortSignal | undefined,
  clock: Clock,
  tell: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const told = new AbortController();
  const begin = () => {
    const end = () => over.abort(new SyncError("aborted", "the store did not answer in time"));
    clock.sleep(LAST_WORDS_MS, told.signal).then(end, () => undefined);
  };
  if (cancelled?.aborted === true) begin();
  else cancelled?.addEventListener("abort", begin, { once: true });
  try {
    return await tell(over.signal);
  } finally {
    cancelled?.removeEventListener("abort", begin);
    told.abort();
  }
}
