/** A defence taken out of the source: `find` stands once in `file` and becomes `without`. */
export interface Removal {
  /** Of the numbered test that must fail then. */
  readonly number: number;
  readonly defence: string;
  readonly file: string;
  readonly find: string;
  readonly without: string;
  /** The test file, where the number has several. */
  readonly test: string;
}

export const REMOVALS: readonly Removal[] = [
  {
    number: 1,
    defence: "only exactly application/json is read",
    file: "src/server/security/json-body.ts",
    find: 'if (!JSON_MEDIA_TYPE.test(request.headers.get("content-type")?.trim() ?? "")) {',
    without: 'if (!/json|text/.test(request.headers.get("content-type") ?? "")) {',
    test: "test/server/security/access.test.ts",
  },
  {
    number: 2,
    defence: "no request says where credentials go",
    file: "src/sync/service-config.ts",
    find: "if (keys.some((key) => PROTECTED.test(key))) {",
    without: "if (keys.length > 1_000) {",
    test: "test/server/security/hostile-requests.test.ts",
  },
  {
    number: 3,
    defence: "Host must name the server",
    file: "src/server/security/allowed-hosts.ts",
    find: "if (allowed?.has(host.toLowerCase()) === true && namesHost(request.url, host)) return;",
    without: "if (allowed !== undefined && namesHost(request.url, host) !== undefined) return;",
    test: "test/server/security/access.test.ts",
  },
  {
    number: 4,
    defence: "pages of other origins open no WebSocket",
    file: "src/server/security/foreign-page.ts",
    find: "if ((ownOrigin && ownSite) || ",
    without: 'if ((ownOrigin && ownSite) || headers.has("upgrade") || ',
    test: "test/server/security/access.test.ts",
  },
  {
    number: 5,
    defence: "the vault's values are redacted wherever they turn up",
    file: "src/logs/redact.ts",
    find: "if (result.includes(value)) result = result.replaceAll(value, REDACTED);",
    without: "if (value === result) result = REDACTED;",
    test: "test/server/api.test.ts",
  },
  {
    number: 8,
    defence: "a save is on the disk before it takes the vault's name",
    file: "src/platform/node/atomic-writer.ts",
    find: "await this.handle.sync();\n",
    without: "\n",
    test: "test/vault/crash.test.ts",
  },
  {
    number: 11,
    defence: "the work factor is bounded",
    file: "src/vault/envelope.ts",
    find: "if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) {",
    without: "if (iterations < ITERATIONS_MIN) {",
    test: "test/vault/envelope.test.ts",
  },
  {
    number: 13,
    defence: "no include brings the vault in",
    file: "src/manifest/hard-exclusion.ts",
    find: "if (VAULT_NAME.test(path) || WEBHOOKS_FILE.test(path)) return true;",
    without: "if (WEBHOOKS_FILE.test(path)) return true;",
    test: "test/manifest/hard-exclusion.test.ts",
  },
  {
    number: 15,
    defence: "no entry of an archive climbs out",
    file: "src/backup/archive-names.ts",
    find: 'if (segment === "") return "holds an empty folder name";',
    without: 'if (segment === "..") return undefined;',
    test: "test/backup/hostile.test.ts",
  },
  {
    number: 19,
    defence: "an archive's data match their CRC",
    file: "src/backup/read-contents.ts",
    find: "if (this.#crc !== crc)",
    without: "if (this.#crc !== crc && this.#crc < 0)",
    test: "test/backup/hostile.test.ts",
  },
  {
    number: 21,
    defence: "webhooks go to public addresses only",
    file: "src/hooks/webhooks/address-policy.ts",
    find: "if (!policy.allowPrivate && !addresses.every(isPublicAddress)) throw refused();",
    without:
      "if (!policy.allowPrivate && addresses.length > 100 && !addresses.every(isPublicAddress)) throw refused();",
    test: "test/hooks/webhooks/address-policy.test.ts",
  },
  {
    number: 22,
    defence: "a backup's name is no path",
    file: "src/backup/backup-name.ts",
    find: "if (name !== undefined) return name;",
    without: 'if (name !== undefined || text !== "") return name ?? { name: text, created_at: "", label: null };',
    test: "test/server/security/hostile-requests.test.ts",
  },
  {
    number: 25,
    defence: "nesting is counted before it is parsed",
    file: "src/server/security/json-body.ts",
    find: "if (depthOf(text) > JSON_DEPTH_MAX)",
    without: "if (depthOf(text) > JSON_DEPTH_MAX * 1_000_000)",
    test: "test/server/security/bounded.test.ts",
  },
];
