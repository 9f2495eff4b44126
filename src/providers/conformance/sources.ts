import { SyncError } from "../../core/errors.ts";
import type { ByteSource } from "../contract.ts";

/** A source that counts, so that a case can tell whether every one that was opened was closed as well. */
export interface CountedSource extends ByteSource {
  readonly opened: number;
  readonly closed: number;
}

/** What a source does differently from handing out its bytes. */
export interface SourceTwist {
  /** The size it claims. Default: the bytes it has. */
  readonly size?: number;
  /** Runs before a read answers; `opening` counts from 1. May throw. */
  readonly beforeRead?: (read: {
    readonly opening: number;
    readonly offset: number;
    readonly length: number;
  }) => void | Promise<void>;
  /** The bytes of the nth opening (from 1) instead of the first argument's. */
  readonly bytesOf?: (opening: number) => Uint8Array;
  /** A read past the end answers with what is there instead of throwing `file_changed`. */
  readonly shortSilently?: boolean;
}

/** `bytes` as a source. */
export function sourceOf(bytes: Uint8Array, twist: SourceTwist = {}): CountedSource {
  const count = { opened: 0, closed: 0 };
  return {
    size: twist.size ?? bytes.length,
    get opened() {
      return count.opened;
    },
    get closed() {
      return count.closed;
    },
    open: async () => {
      const opening = ++count.opened;
      const content = twist.bytesOf?.(opening) ?? bytes;
      return {
        read: async (offset, length) => {
          await twist.beforeRead?.({ opening, offset, length });
          if (offset + length > content.length && twist.shortSilently !== true) {
            throw new SyncError("file_changed", "the source has become shorter while it was read");
          }
          return content.slice(offset, offset + length);
        },
        close: async () => {
          count.closed++;
        },
      };
    },
  };
}

/** `size` bytes that repeat nowhere near, the same for the same `seed`. */
export function someBytes(size: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x6d2b79f5) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}
