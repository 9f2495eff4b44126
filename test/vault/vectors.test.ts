import { describe, expect, test } from "bun:test";
import { backupsOf, expectCode, refusal, testVault, vector } from "./vault-helpers.ts";

interface OpenCase {
  readonly file: string;
  readonly passphrase: string;
  readonly payload: unknown;
  readonly backups?: readonly unknown[];
}

interface RefuseCase {
  readonly file: string;
  readonly passphrase: string;
  readonly why: string;
}

const index: { readonly open: readonly OpenCase[]; readonly refuse: readonly RefuseCase[] } = JSON.parse(
  vector("index.json"),
);

describe("vault vectors", () => {
  test("the index holds cases of both kinds", () => {
    expect(index.open.length).toBeGreaterThan(0);
    expect(index.refuse.length).toBeGreaterThan(0);
  });

  for (const { file, passphrase, payload, backups } of index.open) {
    test(`${file} opens as what was put in`, async () => {
      const { vault } = testVault(vector(file));
      expect(await vault.unlock(passphrase)).toEqual(payload as Record<string, unknown>);
    });

    for (const [position, content] of (backups ?? []).entries()) {
      test(`${file}: backup ${position} copied to the root is a vault, with and without archived_at`, async () => {
        const entry = backupsOf(vector(file))[position];
        const { archived_at: archivedAt, ...bare } = entry ?? {};
        expect(archivedAt).toBeString();
        expect(await testVault(JSON.stringify(entry)).vault.unlock(passphrase)).toEqual(
          content as Record<string, unknown>,
        );
        expect(await testVault(JSON.stringify(bare)).vault.unlock(passphrase)).toEqual(
          content as Record<string, unknown>,
        );
      });
    }
  }

  for (const { file, passphrase, why } of index.refuse) {
    test(`${file} is refused by every verb and left as it is: ${why}`, async () => {
      const text = vector(file);
      const { vault, storage, derivations } = testVault(text);
      const error = await refusal(vault.unlock(passphrase));
      expect(["vault_malformed", "vault_unsupported", "vault_wrong_passphrase"]).toContain(error.code);
      await expectCode(vault.get("a", passphrase), error.code);
      await expectCode(vault.store({ other: true }, passphrase), error.code);
      await expectCode(vault.set("other", true, passphrase), error.code);
      await expectCode(vault.unset("a", passphrase), error.code);
      await expectCode(vault.rekey(passphrase, "new", { dropUnopenable: true }), error.code);
      await expectCode(vault.create({}, passphrase), "vault_exists");
      expect(storage.text()).toBe(text);
      if (error.code !== "vault_wrong_passphrase" && !error.message.includes("passphrase opens")) {
        expect(derivations).toEqual([]);
      }
    });
  }
});
