/**
 * Runs `work` for every item in order of start, never more at a time than `width` says at that moment. The first
 * rejection stops new starts, waits for those under way, and is thrown: nothing goes on in the background afterwards.
 */
export async function atMost<T>(
  width: () => number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const errors: unknown[] = [];
  let lanes = 0;
  const widthNow = () => Math.max(1, width());
  // Each lane does one item after another: to watch all that are under way at once would cost each item that many.
  const lane = async (): Promise<void> => {
    lanes++;
    const opened: Promise<void>[] = [];
    while (errors.length === 0 && lanes <= widthNow()) {
      const next = queue.next();
      if (next.done === true) break;
      const working = work(next.value).catch((error: unknown) => void errors.push(error));
      if (errors.length === 0 && lanes < widthNow()) opened.push(lane());
      await working;
    }
    lanes--;
    await Promise.all(opened);
  };
  await lane();
  if (errors.length > 0) throw errors[0];
}
