/**
 * Saves `argv[3]` as `n` in the vault at `argv[2]` and says so: the process that crash.test.ts kills. With `wait` as
 * `argv[4]` it says "ready" first and begins when a line comes, so that a tracer sees the save and nothing before it.
 */
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { SyncError } from "../../src/core/errors.ts";
import { fileVaultStorage } from "../../src/vault/file-vault-storage.ts";
import { SecretsVault } from "../../src/vault/secrets-vault.ts";
import { ITERATIONS_FEW } from "./vault-helpers.ts";

const storage = fileVaultStorage(bunPlatform().files, process.argv[2] ?? "");
const vault = new SecretsVault(storage, { iterations: ITERATIONS_FEW });
if (process.argv[4] === "wait") {
  console.log("ready");
  await process.stdin[Symbol.asyncIterator]().next();
}
try {
  await vault.set("n", Number(process.argv[3]), "pw");
  console.log("saved");
} catch (error) {
  console.log(error instanceof SyncError ? error.code : "unexpected");
  process.exitCode = 1;
}
process.exit();
