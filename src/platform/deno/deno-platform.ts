import type { Platform } from "../contract.ts";
import { nodePlatform } from "../node/node-platform.ts";
import { serveOnDeno } from "./deno-server.ts";

/** Files, threads and SQLite through Deno's node: modules, HTTP through Deno.serve. */
export function denoPlatform(): Platform {
  // V8 takes no such wishes unless it was started to.
  return nodePlatform({
    runtime: "deno",
    serve: serveOnDeno,
    reclaimMemory: () => undefined,
    link: undefined,
    glances: undefined,
  });
}
