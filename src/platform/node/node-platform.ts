import { hostname } from "node:os";
import process from "node:process";
import type { Platform, TreeReader } from "../contract.ts";
import type { LinkOpenFile } from "./new-file.ts";
import { nodeCompression } from "./node-compression.ts";
import { openDatabase } from "./node-database.ts";
import { nodeFiles } from "./node-files.ts";
import { newNodeHasher } from "./node-hasher.ts";
import { openLogFile } from "./node-log-file.ts";
import { nodeOutbound } from "./node-outbound.ts";
import { nodeTerminal } from "./node-terminal.ts";
import { nodeThreads } from "./node-threads.ts";
import { nodeTree } from "./node-tree.ts";
import { openNodeTreeWriter } from "./node-tree-writer.ts";
import { onTermination, terminated } from "./terminated.ts";

interface OwnParts extends Pick<Platform, "runtime" | "serve" | "reclaimMemory"> {
  readonly link: LinkOpenFile | undefined;
  readonly glances: TreeReader["glances"];
}

/** All of a platform that Bun and Deno carry alike: everything but HTTP, whose servers have nothing in common, and their garbage collectors. */
export function nodePlatform({ link, glances, ...own }: OwnParts): Platform {
  keepLoopbackOffProxies();
  return {
    ...own,
    files: nodeFiles,
    tree: { ...nodeTree, glances },
    openTreeWriter: (root) => openNodeTreeWriter(root, link),
    compression: nodeCompression,
    newHasher: newNodeHasher,
    threads: nodeThreads,
    openDatabase,
    outbound: nodeOutbound,
    openLogFile,
    machineName: () => `${hostname()}, process ${process.pid}`,
    env: (name) => {
      const value = process.env[name];
      return value === "" ? undefined : value;
    },
    terminal: nodeTerminal,
    terminated,
    onTermination,
  };
}

const LOOPBACK = ["localhost", "127.0.0.1", "::1", "[::1]"];

/**
 * The fetch of both runtimes asks the proxy of the environment for addresses of this machine too, which no proxy can
 * reach. The lower-case name wins when both are set.
 */
function keepLoopbackOffProxies(): void {
  for (const name of ["no_proxy", "NO_PROXY"]) {
    const listed = process.env[name]?.split(",").filter((host) => host.trim() !== "") ?? [];
    if (name === "no_proxy" && listed.length === 0) continue;
    process.env[name] = [...new Set([...listed, ...LOOPBACK])].join(",");
  }
}
