/**
 * Entry of the threads. A compiled or bundled build names this file as a second entry point. Each kind of work is loaded
 * when it is first asked for: every thread has modules of its own.
 */
import { DEFLATE_WORK } from "./backup/deflate-job.ts";
import { UNPACK_WORK } from "./backup/unpack-job.ts";
import { HASH_WORK } from "./manifest/hash-job.ts";
import { newNodeHasher } from "./platform/node/node-hasher.ts";
import { threadPort } from "./platform/node/node-threads.ts";
import { serveThread } from "./threads/thread-service.ts";

/** Deno has none of them. */
const denoOwn = { link: undefined, glances: undefined, reclaimMemory: () => undefined };

const ownParts = async () => ("Deno" in globalThis ? denoOwn : (await import("./platform/bun/bun-own.ts")).bunOwn);

serveThread(threadPort(), {
  [HASH_WORK.name]: async () => {
    const { nodeTree } = await import("./platform/node/node-tree.ts");
    const { offerHashing } = await import("./manifest/hash-service.ts");
    const { glances } = await ownParts();
    return offerHashing({ ...nodeTree, glances }, newNodeHasher);
  },
  [DEFLATE_WORK.name]: async () => {
    const { nodeCompression } = await import("./platform/node/node-compression.ts");
    const { offerDeflating } = await import("./backup/deflate-service.ts");
    return offerDeflating(nodeCompression);
  },
  [UNPACK_WORK.name]: async () => {
    const { nodeCompression } = await import("./platform/node/node-compression.ts");
    const { nodeFiles } = await import("./platform/node/node-files.ts");
    const { openNodeTreeWriter } = await import("./platform/node/node-tree-writer.ts");
    const { offerUnpacking } = await import("./backup/unpack-service.ts");
    const own = await ownParts();
    return offerUnpacking({
      files: nodeFiles,
      openTreeWriter: (root) => openNodeTreeWriter(root, own.link),
      reclaimMemory: own.reclaimMemory,
      compression: nodeCompression,
      newHasher: newNodeHasher,
    });
  },
});
