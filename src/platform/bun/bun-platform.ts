import type { Platform } from "../contract.ts";
import { nodePlatform } from "../node/node-platform.ts";
import { bunOwn } from "./bun-own.ts";
import { serveOnBun } from "./bun-server.ts";

/** Home: files and tree through node:fs, HTTP through Bun's own. */
export function bunPlatform(): Platform {
  return nodePlatform({ runtime: "bun", serve: serveOnBun, ...bunOwn });
}
