/** Large and small files go in lanes of their own; a run that is cut off ends all of them. */
import { expect, test } from "bun:test";
import { SyncError } from "../../src/core/errors.ts";
import { codeOf, createWorkspace } from "../support/workspace.ts";

const LARGE_BYTES = 17 * 1024 * 1024;

test("a cancelled run ends only when a small file under way beside a large one has, and does not send that again", async () => {
  const workspace = await createWorkspace({ "assets/small": "small" });
  workspace.write("assets/large", new Uint8Array(LARGE_BYTES));
  const controller = new AbortController();
  const smallUnderWay = Promise.withResolvers<void>();
  let arrived = false;
  workspace.wrap = (provider) => ({
    ...provider,
    put: async (key, source, { signal: _, ...options }) => {
      if (key === "default/assets/large") {
        await smallUnderWay.promise;
        controller.abort();
        throw new SyncError("aborted", "scripted");
      }
      if (key !== "default/assets/small") return await provider.put(key, source, options);
      smallUnderWay.resolve();
      // The store has the request already, and answers although nobody wants it any more.
      await new Promise((resolve) => setTimeout(resolve, 100));
      const info = await provider.put(key, source, options);
      arrived = true;
      return info;
    },
  });
  expect(await codeOf(workspace.run({ paths: ["assets"] }, controller.signal))).toBe("aborted");
  expect(arrived).toBe(true);

  workspace.wrap = (provider) => provider;
  expect((await workspace.run({ paths: ["assets"] })).summary.uploads).toEqual(["assets/large"]);
});
