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
  const running = new Set<Promise<void>>();
  const errors: unknown[] = [];
  let next = queue.next();
  const start = (item: T): void => {
    const watched: Promise<void> = work(item)
      .catch((error: unknown) => {
        errors.push(error);
      })
      .finally(() => running.delete(watched));
    running.add(watched);
  };
  while (errors.length === 0 && next.done !== true) {
    if (running.size >= Math.max(1, width())) {
      await Promise.race(running);
      continue;
    }
    start(next.value);
    next = queue.next();
  }
  await Promise.all(running);
  if (errors.length > 0) throw errors[0];
}
