import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { openProvider } from "../../src/providers/local/local-provider.ts";
import { conformanceTests } from "../support/conformance-tests.ts";
import { faultyFiles, systemFault } from "../support/faulty-files.ts";
import { tempFolder } from "../support/temp-folder.ts";

const { files, newHasher } = bunPlatform();
const path = join(tempFolder(), "nas");
mkdirSync(path);

let failed: number | undefined;
const undeletable = new Set<string>();
const watched = faultyFiles(files, (call, at) => {
  if (call === "remove" && undeletable.has(at)) return systemFault("write_failed", "EACCES");
  if (failed === undefined) return undefined;
  failed++;
  return systemFault("file_unreadable", "EIO");
});

const open = () => openProvider({ path, password: "a-setting-that-is-not-ours" }, { files: watched, newHasher });

await conformanceTests("the local provider", open, {
  newHasher,
  largeObjectBytes: [1024 * 1024 + 1, 3 * 1024 * 1024],
  secrets: ["a-setting-that-is-not-ours"],
  openMissingContainer: () => openProvider({ path: `${path}-that-is-not-there` }, { files, newHasher }),
  refuseDelete: async (key) => {
    const at = join(path, ...key.split("/"));
    undeletable.add(at);
    return async () => void undeletable.delete(at);
  },
  beginOutage: async () => {
    failed = 0;
    return { requests: () => failed ?? 0, end: async () => void (failed = undefined) };
  },
});
