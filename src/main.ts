#!/usr/bin/env bun
/** Entry of the command line and of the compiled file: chooses the platform, nothing else. */
import { runCli } from "./cli/cli.ts";

const platform =
  "Deno" in globalThis
    ? (await import("./platform/deno/deno-platform.ts")).denoPlatform()
    : (await import("./platform/bun/bun-platform.ts")).bunPlatform();
process.exitCode = await runCli(process.argv.slice(2), platform);
