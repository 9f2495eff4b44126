import { SyncError } from "../../src/core/errors.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { sourceOf } from "../../src/providers/conformance/sources.ts";
import { openProvider } from "../../src/providers/local/local-provider.ts";
import { sha256 } from "./conformance-mutants/mutant.ts";

/** Run by local-processes.test.ts: `path key text create|hang`; waits for a line on stdin. */
const [path = "", key = "", text = "", mode = ""] = process.argv.slice(2);
const { files, newHasher } = bunPlatform();
const provider = await openProvider({ path }, { files, newHasher });
const bytes = new TextEncoder().encode(text);
console.log("ready");
await Bun.stdin.stream().getReader().read();

const source = sourceOf(bytes, {
  beforeRead: async () => {
    if (mode !== "hang") return;
    console.log("writing");
    await new Promise(() => setInterval(() => undefined, 1_000));
  },
});
try {
  await provider.put(key, source, { sha256: sha256(bytes), precondition: { kind: "absent" } });
  console.log(text);
} catch (error) {
  console.log(error instanceof SyncError ? error.code : "failed");
}
