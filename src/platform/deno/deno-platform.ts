import type { Platform } from "../contract.ts";
import { nodePlatform } from "../node/node-platform.ts";
import { serveOnDeno } from "./deno-server.ts";

/** Files, threads and SQLite through Deno's node: modules, HTTP through Deno.serve. */
export function denoPlatform(): Platform {
  return nodePlatform({ runtime: "deno", serve: serveOnDeno });
}
