/** A place below src/ and what it may import beside its own files. */
export interface Room {
  /** Relative to src/; a folder ends in `/`. A file belongs to the room with the longest match. */
  readonly at: string;
  /** Places of other rooms, relative to src/. */
  readonly imports: readonly string[];
  /** Packages by name, and `node:*` or `bun:*` for a runtime's own modules. */
  readonly packages?: readonly string[];
}

/** Types from here are open to every room: what the product asks of a runtime. */
export const OPEN_TYPES = "platform/contract.ts";

const FEATURES = [
  "api/",
  "core/",
  "config/",
  "vault/",
  "manifest/",
  "providers/",
  "sync/",
  "threads/",
  "backup/",
  "hooks/",
  "logs/",
];

/** architecture.md explains the table; this is the one that counts. */
export const ROOMS: readonly Room[] = [
  { at: "core/", imports: [], packages: ["@noble/hashes"] },
  { at: "config/", imports: ["core/"], packages: ["jsonc-parser", "typebox"] },
  { at: "api/", imports: ["core/"], packages: ["typebox"] },
  { at: "vault/", imports: ["core/"] },
  { at: "threads/", imports: ["core/"] },
  { at: "manifest/", imports: ["core/", "threads/"] },

  { at: "providers/", imports: ["core/"] },
  { at: "providers/registry.ts", imports: ["core/", "providers/"] },
  { at: "providers/local/", imports: ["core/", "providers/contract.ts"] },
  { at: "providers/memory/", imports: ["core/", "providers/contract.ts"] },
  { at: "providers/transfer/", imports: ["core/", "providers/contract.ts"], packages: ["@noble/hashes"] },
  {
    at: "providers/s3/",
    imports: ["core/", "providers/contract.ts", "providers/transfer/"],
    packages: ["@aws-sdk/client-s3", "@noble/hashes", "@smithy/signature-v4", "typebox"],
  },
  {
    at: "providers/gdrive/",
    imports: ["core/", "providers/contract.ts", "providers/transfer/"],
    packages: ["@noble/hashes", "googleapis", "typebox"],
  },
  { at: "providers/conformance/", imports: ["core/", "providers/contract.ts", "providers/retry-table.ts"] },

  { at: "sync/", imports: ["core/", "manifest/", "providers/contract.ts"] },
  { at: "backup/", imports: ["core/", "manifest/", "threads/"], packages: ["fflate"] },
  {
    at: "hooks/",
    imports: ["core/"],
    packages: ["@noble/hashes", "ipaddr.js", "jsonc-parser", "standardwebhooks", "typebox"],
  },
  { at: "logs/", imports: ["core/"], packages: ["@logtape/logtape"] },

  { at: OPEN_TYPES, imports: ["core/", "platform/outbound.ts", "platform/terminal.ts", "platform/tree.ts"] },
  { at: "platform/outbound.ts", imports: [] },
  { at: "platform/terminal.ts", imports: [] },
  { at: "platform/tree.ts", imports: [] },
  { at: "platform/node/", imports: ["core/", OPEN_TYPES], packages: ["node:*", "@clack/prompts"] },
  { at: "platform/bun/", imports: ["core/", OPEN_TYPES, "platform/node/"], packages: ["node:*", "bun:*", "bun"] },
  { at: "platform/deno/", imports: ["core/", OPEN_TYPES, "platform/node/"], packages: ["node:*"] },

  { at: "app.ts", imports: [...FEATURES, "app/"] },
  { at: "app/", imports: FEATURES },
  { at: "server/", imports: ["core/", "api/", "config/", "app.ts"], packages: ["elysia", "typebox"] },
  {
    at: "cli/",
    // problem.ts: what the API would have answered, for --json.
    imports: ["core/", "api/", "config/", "app.ts", "cli/serve.ts", "cli/demo.ts", "server/problem.ts"],
    packages: ["commander", "fast-string-width", "picocolors"],
  },
  // The two commands that run a server.
  { at: "cli/serve.ts", imports: ["core/", "config/", "app.ts", "cli/", "server/"], packages: ["commander"] },
  { at: "cli/demo.ts", imports: ["core/", "config/", "app.ts", "cli/", "server/"], packages: ["commander"] },
  { at: "worker.ts", imports: ["backup/", "manifest/", "platform/", "threads/"] },
  { at: "main.ts", imports: ["core/", "app.ts", "server/", "cli/", "platform/"] },
  {
    at: "mod.ts",
    imports: ["api/", "core/", "vault/", "manifest/", "sync/", "hooks/", "providers/contract.ts", "providers/s3/"],
  },
  {
    at: "edge.ts",
    imports: ["api/", "core/", "hooks/listing.ts", "server/openapi/", "server/problem.ts", "server/security/"],
  },
];
