import { GetObjectCommand, ListObjectsV2Command, NoSuchKey } from "@aws-sdk/client-s3";
import type { CephRgw } from "../services/ceph-rgw.ts";
import { type Mirror, Violation } from "./mirror.ts";

interface PublishedEntry {
  readonly size: number;
  readonly sha256: string;
}

/** What a bucket really holds, seen without the product. */
export class Destination {
  constructor(
    private readonly server: CephRgw,
    private readonly mirror: Mirror,
  ) {}

  /** Every key of the bucket. */
  async keys(): Promise<Set<string>> {
    const keys = new Set<string>();
    let token: string | undefined;
    do {
      const page = await this.server.client.send(
        new ListObjectsV2Command({ Bucket: this.mirror.bucket, ContinuationToken: token }),
      );
      for (const { Key = "" } of page.Contents ?? []) keys.add(Key);
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return keys;
  }

  /** An object's bytes; undefined when there is none. */
  async read(key: string): Promise<Uint8Array | undefined> {
    try {
      const { Body } = await this.server.client.send(new GetObjectCommand({ Bucket: this.mirror.bucket, Key: key }));
      return await Body?.transformToByteArray();
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  /** Entries of the published manifest by path; undefined before the first publish. */
  async published(): Promise<ReadonlyMap<string, PublishedEntry> | undefined> {
    const bytes = await this.read(this.mirror.manifestKey);
    if (bytes === undefined) return undefined;
    const { manifest } = JSON.parse(new TextDecoder().decode(bytes)) as {
      manifest: { entries: Record<string, PublishedEntry> };
    };
    return new Map(Object.entries(manifest.entries));
  }

  /** @throws Violation when the published manifest names an object that is not there */
  async requireNothingMissing(): Promise<void> {
    // The manifest first: an object that goes between the two looks would go before its withdrawal.
    const published = await this.published();
    const keys = await this.keys();
    const missing = [...(published?.keys() ?? [])].filter((path) => !keys.has(this.mirror.filesPrefix + path));
    if (missing.length > 0)
      throw new Violation(`the published manifest names ${missing.length} missing objects: ${missing.join(", ")}`);
  }

  /** @throws Violation when an object does not have the bytes that the published manifest says, or is not named by it */
  async requirePublishedTrue(): Promise<void> {
    const published = (await this.published()) ?? new Map<string, PublishedEntry>();
    const named = new Set([...published.keys()].map((path) => this.mirror.filesPrefix + path));
    const extra = [...(await this.keys())].filter((key) => key.startsWith(this.mirror.filesPrefix) && !named.has(key));
    if (extra.length > 0) throw new Violation(`objects that the manifest does not name: ${extra.join(", ")}`);
    for (const [path, { sha256 }] of published) {
      const bytes = await this.read(this.mirror.filesPrefix + path);
      const found = bytes === undefined ? "nothing" : new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
      if (found !== sha256) throw new Violation(`the manifest says ${sha256} of ${path}, the store holds ${found}`);
    }
  }

  /** rclone reads every byte of `folders` on both sides. @throws Violation when any differs, is missing or is too much */
  async requireEqual(folders: readonly string[]): Promise<void> {
    const { accessKeyId, secretAccessKey, endpoint } = this.server;
    const { root, bucket, filesPrefix } = this.mirror;
    const remote = `:s3,provider=Ceph,access_key_id=${accessKeyId},secret_access_key=${secretAccessKey},endpoint="${endpoint}":${bucket}/${filesPrefix}`;
    const filters = folders.flatMap((folder) => ["--include", `/${folder}/**`]);
    const child = Bun.spawn(["rclone", "check", "--download", "--config", "/dev/null", ...filters, root, remote], {
      env: { PATH: process.env["PATH"] ?? "", HOME: root },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const said = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Violation(`rclone finds the sides unequal:\n${said}`);
  }

  /** @throws Violation when an upload in parts was begun and neither completed nor aborted */
  async requireNoOpenUploads(): Promise<void> {
    const uploads = await this.server.uploads(this.mirror.bucket);
    if (uploads.length > 0)
      throw new Violation(`unfinished uploads are left: ${uploads.map(({ Key }) => Key).join(", ")}`);
  }
}
