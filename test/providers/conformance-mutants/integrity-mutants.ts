import { throwIfAborted } from "../../../src/core/errors.ts";
import { aTurn, drain, mismatch, type Mutant, sha256, sourceFrom, write } from "./mutant.ts";

/** Faults against promise 1: exactly the bytes, or nothing. */
export const integrityMutants: readonly Mutant[] = [
  {
    fault: "loses what comes after a full buffer of 64 KiB",
    caughtBy: [
      "bytes are exact at every size where a buffer ends",
      "bytes are exact at the sizes where the way of sending changes",
    ],
    mutate: (honest) => ({
      put: async (key, source, options) => {
        const kept = (await drain(source)).slice(0, 65_536);
        return {
          ...(await honest.put(key, sourceFrom(kept), { ...options, sha256: sha256(kept) })),
          size: source.size,
        };
      },
    }),
  },
  {
    fault: "puts large objects together from parts in the wrong order",
    caughtBy: [
      "bytes are exact at the sizes where the way of sending changes",
      "a large object reads back in ranges as it reads whole",
    ],
    mutate: (honest) => ({
      put: async (key, source, options) => {
        if (source.size < 150_000) return await honest.put(key, source, options);
        const bytes = await drain(source);
        const swapped = new Uint8Array([...bytes.subarray(100_000), ...bytes.subarray(0, 100_000)]);
        return await honest.put(key, sourceFrom(swapped), { ...options, sha256: sha256(swapped) });
      },
    }),
  },
  {
    fault: "never compares the SHA-256",
    caughtBy: [
      "bytes that do not have the promised SHA-256 are refused, and nothing is stored",
      "one flipped bit is noticed, and nothing is stored",
      "a refused overwrite leaves the old object whole",
      "a source whose second opening has other bytes than its first never stores them",
    ],
    mutate: (_, store) => ({ put: async (key, source) => write(store, key, await drain(source)) }),
  },
  {
    fault: "compares the SHA-256 of small objects only",
    caughtBy: ["one flipped bit is noticed, and nothing is stored"],
    mutate: (honest, store) => ({
      put: async (key, source, options) =>
        source.size > 100_000 ? write(store, key, await drain(source)) : await honest.put(key, source, options),
    }),
  },
  {
    fault: "verifies after it has replaced the object",
    caughtBy: [
      "a refused overwrite leaves the old object whole",
      "bytes that do not have the promised SHA-256 are refused, and nothing is stored",
    ],
    mutate: (_, store) => ({
      put: async (key, source, options) => {
        const info = write(store, key, await drain(source));
        if (sha256(store.objects.get(key)?.bytes ?? new Uint8Array()) !== options.sha256) throw mismatch();
        return info;
      },
    }),
  },
  {
    fault: "takes the end of a source for the end of the object",
    caughtBy: ["a source that ends before its size stores nothing, whether it says so or not"],
    mutate: (_, store) => ({
      put: async (key, source, options) => {
        const bytes = await drain(source);
        if (sha256(bytes) !== options.sha256) throw mismatch();
        return write(store, key, bytes);
      },
    }),
  },
  {
    fault: "reads a source to its end instead of to its size",
    caughtBy: ["a source that has grown since it was hashed stores nothing"],
    mutate: (honest) => ({
      put: async (key, source, options) => {
        const grown = await drain(source, source.size + 1_000).catch(() => drain(source));
        return await honest.put(key, sourceFrom(grown), options);
      },
    }),
  },
  {
    fault: "hashes in one pass and sends in a second",
    caughtBy: ["a source that changes while it is read stores nothing"],
    mutate: (_, store) => ({
      put: async (key, source, options) => {
        const opened = await source.open();
        const hashed = await opened.read(0, source.size);
        if (sha256(hashed) !== options.sha256) throw mismatch();
        const sent = await opened.read(0, source.size);
        await opened.close();
        return write(store, key, new Uint8Array(sent));
      },
    }),
  },
  {
    fault: "hashes one opening of the source and sends another",
    caughtBy: ["a source whose second opening has other bytes than its first never stores them"],
    mutate: (_, store) => ({
      put: async (key, source, options) => {
        if (sha256(await drain(source)) !== options.sha256) throw mismatch();
        return write(store, key, await drain(source));
      },
    }),
  },
  {
    fault: "stores what it has when the source fails",
    caughtBy: ["a source that fails in the middle ends the call with its own error and stores nothing"],
    mutate: (honest, store) => ({
      put: async (key, source, options) => {
        try {
          return await honest.put(key, source, options);
        } catch (error) {
          if (options.signal?.aborted !== true) write(store, key, new Uint8Array(10));
          throw error;
        }
      },
    }),
  },
  {
    fault: "leaves a source open when it fails",
    caughtBy: ["an opened source is closed however the call ends"],
    mutate: (honest) => ({
      put: async (key, source, options) => {
        const opened = await source.open();
        const bytes = await opened.read(0, source.size);
        throwIfAborted(options.signal);
        const info = await honest.put(key, sourceFrom(bytes), options);
        await opened.close();
        return info;
      },
    }),
  },
  {
    fault: "overwrites in place without truncating",
    caughtBy: ["an overwrite by longer or shorter content leaves nothing of the old"],
    mutate: (honest, store) => ({
      put: async (key, source, options) => {
        const old = store.objects.get(key)?.bytes ?? new Uint8Array();
        const info = await honest.put(key, source, options);
        const now = store.objects.get(key)?.bytes ?? new Uint8Array();
        return old.length > now.length
          ? write(store, key, new Uint8Array([...now, ...old.subarray(now.length)]))
          : info;
      },
    }),
  },
  {
    fault: "shows half of an object while it is written",
    caughtBy: ["a reader during overwrites sees one content whole, never a mixture"],
    mutate: (honest, store) => ({
      put: async (key, source, options) => {
        const bytes = await drain(source);
        write(store, key, bytes.slice(0, bytes.length / 2));
        await aTurn();
        return await honest.put(key, sourceFrom(bytes), options);
      },
    }),
  },
  {
    fault: "keeps one upload buffer for all puts",
    caughtBy: ["fifty puts at once all arrive whole"],
    mutate: (_, store) => {
      let buffer = new Uint8Array();
      return {
        put: async (key, source) => {
          buffer = await drain(source);
          await aTurn();
          return write(store, key, buffer);
        },
      };
    },
  },
  {
    fault: "lets puts of one key write between each other",
    caughtBy: ["many puts of one key at once leave one of the contents whole"],
    mutate: (_, store) => {
      const writing = new Map<string, Uint8Array>();
      return {
        put: async (key, source) => {
          const bytes = await drain(source);
          const other = writing.get(key) ?? bytes;
          writing.set(key, bytes);
          await aTurn();
          const half = bytes.length >> 1;
          return write(store, key, new Uint8Array([...bytes.subarray(0, half), ...other.subarray(half)]));
        },
      };
    },
  },
];
