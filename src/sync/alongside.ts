/**
 * What both give. The failure of one ends the other by its signal and is what is thrown, the first one's where both
 * fail; nothing goes on in the background afterwards.
 */
export async function alongside<A, B>(
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
  signal: AbortSignal | undefined,
): Promise<readonly [A, B]> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  let stopped = false;
  const watched = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | Failure> => {
    try {
      return await work(both);
    } catch (error) {
      const failure = new Failure(error, stopped);
      stopped = true;
      stop.abort();
      return failure;
    }
  };
  const [a, b] = await Promise.all([watched(first), watched(second)]);
  const failures = [a, b].filter((each) => each instanceof Failure);
  // The end of one that was stopped is the effect, not the cause.
  const cause = failures.find(({ wasStopped }) => !wasStopped) ?? failures[0];
  if (cause !== undefined) throw cause.error;
  if (a instanceof Failure || b instanceof Failure) throw new TypeError("a failure without a cause");
  return [a, b];
}

class Failure {
  constructor(
    readonly error: unknown,
    /** True when the other one had failed before. */
    readonly wasStopped: boolean,
  ) {}
}
