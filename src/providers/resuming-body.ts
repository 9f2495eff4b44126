import { SyncError, toSyncError } from "../core/errors.ts";
import type { Attempts } from "./attempts.ts";
import type { GetOptions, ObjectContent, Provider } from "./contract.ts";

/**
 * The body of `content` that goes on where it breaks: a passing failure opens the rest of the range again. Patience is
 * renewed by every byte that arrives. Errors with `provider_error` when the object is another version by then, with
 * `object_missing` when it is gone: what was read so far is of no use.
 */
export function resumingBody(
  provider: Provider,
  content: ObjectContent,
  options: GetOptions | undefined,
  begin: () => Attempts,
): ReadableStream<Uint8Array> {
  const from = options?.range?.offset ?? 0;
  const wanted = Math.max(0, Math.min(content.size - from, options?.range?.length ?? Number.POSITIVE_INFINITY));
  let reader = content.body.getReader();
  let received = 0;

  const nextPart = async (): Promise<Uint8Array | undefined> => {
    const part = await reader.read();
    if (!part.done) return part.value;
    if (received < wanted)
      throw new SyncError("provider_error", "the object's content ended before its size", { retryable: true });
    return undefined;
  };
  const openRest = async (): Promise<void> => {
    const rest = await provider.get(content.key, {
      ...options,
      range: { offset: from + received, length: wanted - received },
    });
    if (rest === undefined) throw new SyncError("object_missing", "the object was deleted while it was read");
    if (rest.version !== content.version) {
      await rest.body.cancel();
      throw new SyncError("provider_error", "the object was replaced while it was read; read it again");
    }
    reader = rest.body.getReader();
  };
  /** `broken` is what ended the body; it counts as the first attempt. */
  const resume = async (broken: unknown): Promise<Uint8Array | undefined> => {
    let trouble = broken;
    const attempts = begin();
    try {
      for (;;) {
        await attempts.failed(trouble);
        if (received >= wanted) return undefined;
        try {
          await openRest();
          const part = await nextPart();
          attempts.succeeded();
          return part;
        } catch (thrown) {
          trouble = thrown;
        }
      }
    } finally {
      attempts.end();
    }
  };

  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const part = await nextPart().catch(resume);
          if (part === undefined) return controller.close();
          received += part.length;
          controller.enqueue(part);
        } catch (thrown) {
          controller.error(toSyncError(thrown));
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
