import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The native program of the npm package `deno`. Its command in node_modules/.bin is a Node script that waits for the
 * native one: signals sent to it never arrive. It puts the native one in its place at its first call.
 */
export function denoProgram(project: string): string {
  const native = join(project, "node_modules/deno", process.platform === "win32" ? "deno.exe" : "deno");
  if (!existsSync(native)) Bun.spawnSync([join(project, "node_modules/.bin/deno"), "--version"]);
  return native;
}
