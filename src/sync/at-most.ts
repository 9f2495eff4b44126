/**
 * Runs `work` for every item, at most `width` at a time, in order of start. The first rejection stops new starts,
 * waits for those under way, and is thrown: nothing goes on in the background afterwards.
 */
export async function atMost<T>(width: number, items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true && failure === undefined; next = queue.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  if (failure !== undefined) throw failure.error;
}
