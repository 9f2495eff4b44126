/**
 * What both give. The first one's failure ends the second by its signal and is what is thrown; nothing goes on in the
 * background afterwards.
 */
export async function alongside<A, B>(
  first: () => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
  signal: AbortSignal | undefined,
): Promise<readonly [A, B]> {
  const stop = new AbortController();
  const signals = signal === undefined ? [stop.signal] : [signal, stop.signal];
  const seconds = second(AbortSignal.any(signals));
  // Looked at below; until then its failure is nobody's.
  seconds.catch(() => undefined);
  try {
    return [await first(), await seconds];
  } catch (error) {
    stop.abort();
    await seconds.catch(() => undefined);
    throw error;
  }
}
