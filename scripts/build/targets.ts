import { existsSync } from "node:fs";
import { join } from "node:path";

/** A machine that a compiled file is for. */
export interface Target {
  /** `<system>-<processor>`, as in the compiled file's name. */
  readonly name: string;
  /** What `bun build --compile --target` calls it. */
  readonly bun: string;
  /** The npm package that holds Bun for it. */
  readonly package: string;
}

export const TARGETS: readonly Target[] = [
  target("linux-x64"),
  target("linux-arm64", "linux-aarch64"),
  target("linux-x64-musl"),
  target("linux-arm64-musl", "linux-aarch64-musl"),
  target("darwin-arm64", "darwin-aarch64"),
  target("darwin-x64"),
  target("windows-x64"),
  target("windows-arm64", "windows-aarch64"),
];

function target(name: string, inPackages = name): Target {
  return { name, bun: `bun-${name}`, package: `@oven/bun-${inPackages}` };
}

/** The target that this process runs on; undefined where it is none of `TARGETS`. */
export function hostTarget(): Target | undefined {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const musl =
    process.platform === "linux" && existsSync(`/lib/ld-musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`);
  return TARGETS.find(({ name }) => name === `${system}-${process.arch}${musl ? "-musl" : ""}`);
}

/**
 * The Bun to put into a compiled file for `wanted`, where one of this version is on this machine: the running one, or
 * the package of another system's (`bun install --os '*' --cpu '*'` fetches those that bun.lock names, with their
 * checksums). Undefined when Bun would have to download it.
 */
export function bunFor(wanted: Target, project: string): string | undefined {
  if (wanted.name === hostTarget()?.name) return process.execPath;
  const folder = join(project, "node_modules", ...wanted.package.split("/"), "bin");
  return [join(folder, "bun"), join(folder, "bun.exe")].find((path) => existsSync(path));
}

/** `comfyvn-sync-linux-x64`, `comfyvn-sync-windows-x64.exe` */
export function fileNameFor({ name }: Target): string {
  return `comfyvn-sync-${name}${name.startsWith("windows") ? ".exe" : ""}`;
}
