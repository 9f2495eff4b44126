#!/usr/bin/env bun
/** Entry of the command line and of the compiled file: chooses the platform, nothing else. */
import { runCli } from "./cli/cli.ts";
import { bunPlatform } from "./platform/bun/bun-platform.ts";

process.exitCode = await runCli(process.argv.slice(2), bunPlatform());
