import { drain, type Mutant, write } from "./mutant.ts";

/** Faults against promise 11: providers that keep the first half of an upload, and how they go wrong. */
export const resumingMutants: readonly Mutant[] = [
  {
    fault: "leaves its records after a put that succeeded",
    caughtBy: ["a put that was cut off succeeds when it is repeated with its records, which are empty then"],
    mutate: (honest) => ({
      put: async (key, source, options) => {
        await options.resume?.add({ begun: key });
        return await honest.put(key, source, options);
      },
    }),
  },
  {
    fault: "goes on with what it had of other content",
    caughtBy: [
      "other content under the key takes nothing from what a put that was cut off had sent",
      "what was sent of content that is not what was hashed is not completed by the rest of the right one",
    ],
    mutate: (honest, store) => ({
      put: async (key, source, options) => {
        const [record] = (await options.resume?.load()) ?? [];
        const whole = await drain(source);
        if (record === undefined) {
          await options.resume?.add({ half: [...whole.subarray(0, whole.length >> 1)] });
          return await honest.put(key, source, options);
        }
        whole.set(record["half"] as number[]);
        await options.resume?.clear();
        return write(store, key, whole);
      },
    }),
  },
  {
    fault: "believes a record that the object is there",
    caughtBy: ["records that are none of the provider's own do no harm"],
    mutate: (honest) => ({
      put: async (key, source, options) => {
        if (((await options.resume?.load()) ?? []).length === 0) return await honest.put(key, source, options);
        return { key, size: source.size, version: options.sha256 };
      },
    }),
  },
];
