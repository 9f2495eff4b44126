/** Entry of the threads that hash. A compiled or bundled build names this file as a second entry point. */
import { serveHashJobs } from "./manifest/hash-thread.ts";
import { newNodeHasher } from "./platform/node/node-hasher.ts";
import { threadPort } from "./platform/node/node-threads.ts";
import { nodeTree } from "./platform/node/node-tree.ts";

serveHashJobs(threadPort(), nodeTree, newNodeHasher);
