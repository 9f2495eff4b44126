/** The library inside a worker, asked over HTTP: one address for each thing that must work there. */
import edge from "../../../src/edge.ts";
import {
  diffManifests,
  type Manifest,
  newPortableHasher,
  openS3Provider,
  SecretsVault,
  signWebhook,
  textVaultStorage,
  type WebhookMessage,
} from "../../../src/mod.ts";
import { runConformance } from "../../../src/providers/conformance/run-conformance.ts";
import { toSyncError } from "../../../src/core/errors.ts";

interface VaultTask {
  readonly text: string;
  readonly passphrase: string;
  /** Stored under `path` when given. */
  readonly path?: string;
  readonly value?: string;
}

async function vault({ text, passphrase, path, value }: VaultTask) {
  const storage = textVaultStorage(text);
  const opened = new SecretsVault(storage, { iterations: 100_000 });
  const before = await opened.unlock(passphrase);
  if (path !== undefined && value !== undefined) await opened.set(path, value, passphrase);
  return { before, after: await opened.unlock(passphrase), text: storage.text() };
}

interface ManifestTask {
  readonly local: Readonly<Record<string, string>>;
  readonly remote: Readonly<Record<string, string>>;
}

/** @param contents sha256 by path */
function manifest(name: string, contents: Readonly<Record<string, string>>): Manifest {
  const entries = Object.entries(contents).map(
    ([path, sha256]) => [path, { path, size: 1, mtime: 1, sha256 }] as const,
  );
  return { name, root: "/", created_at: "2026-01-01T00:00:00Z", entries: new Map(entries) };
}

async function conformance(settings: Readonly<Record<string, unknown>>) {
  const open = () => openS3Provider(settings, { newHasher: newPortableHasher });
  return await Array.fromAsync(runConformance(open, { newHasher: newPortableHasher }));
}

const TASKS: Readonly<Record<string, (task: never) => unknown>> = {
  "/test/vault": vault,
  "/test/diff": ({ local, remote }: ManifestTask) =>
    diffManifests("s3", "nightly", manifest("nightly", local), manifest("nightly", remote)),
  "/test/sign": ({ secret, ...message }: WebhookMessage & { readonly secret: string }) => signWebhook(message, secret),
  "/test/s3": conformance,
};

export default {
  async fetch(request: Request, environment: { readonly COMFYVN_API_TOKEN?: string }): Promise<Response> {
    const run = TASKS[new URL(request.url).pathname];
    if (run === undefined) return edge.fetch(request, environment);
    try {
      return Response.json(await run((await request.json()) as never));
    } catch (error) {
      const { code, message } = toSyncError(error);
      return Response.json({ code, message, cause: String((error as Error).cause) }, { status: 500 });
    }
  },
};
