/** Entry of the threads. A compiled or bundled build names this file as a second entry point. */
import { offerUnpacking } from "./backup/unpack-service.ts";
import { offerHashing } from "./manifest/hash-service.ts";
import { nodeCompression } from "./platform/node/node-compression.ts";
import { nodeFiles } from "./platform/node/node-files.ts";
import { newNodeHasher } from "./platform/node/node-hasher.ts";
import { threadPort } from "./platform/node/node-threads.ts";
import { nodeTree } from "./platform/node/node-tree.ts";
import { openNodeTreeWriter } from "./platform/node/node-tree-writer.ts";
import { serveThread } from "./threads/thread-service.ts";

const unpacking = {
  files: nodeFiles,
  openTreeWriter: openNodeTreeWriter,
  compression: nodeCompression,
  newHasher: newNodeHasher,
};

serveThread(threadPort(), [offerHashing(nodeTree, newNodeHasher), offerUnpacking(unpacking)]);
