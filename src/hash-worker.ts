/** Entry of the threads. A compiled or bundled build names this file as a second entry point. */
import { offerHashing } from "./manifest/hash-service.ts";
import { newNodeHasher } from "./platform/node/node-hasher.ts";
import { threadPort } from "./platform/node/node-threads.ts";
import { nodeTree } from "./platform/node/node-tree.ts";
import { serveThread } from "./threads/thread-service.ts";

serveThread(threadPort(), [offerHashing(nodeTree, newNodeHasher)]);
