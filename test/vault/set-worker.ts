/**
 * One writer of concurrent-sets.test.ts: for each line of stdin, a key, sets it in the vault at argv[2] and answers a
 * line. A process of its own, so that nothing but the lock file keeps two of them apart.
 */
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { fileVaultStorage } from "../../src/vault/file-vault-storage.ts";
import { SecretsVault } from "../../src/vault/secrets-vault.ts";
import { ITERATIONS_FEW } from "./vault-helpers.ts";

const storage = fileVaultStorage(bunPlatform().files, process.argv[2] ?? "");
const vault = new SecretsVault(storage, { iterations: ITERATIONS_FEW });
console.log("ready");
for await (const key of console) {
  // The end of stdin arrives as an empty line.
  if (key === "") break;
  await vault.set(key, true, "pw");
  console.log(`set ${key}`);
}
