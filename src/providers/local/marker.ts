import { isJsonObject } from "../../core/json.ts";
import { SyncError } from "../../core/errors.ts";
import { type NewHasher, sha256Hex } from "../../core/hash.ts";
import type { Files } from "../../platform/contract.ts";
import type { Destination } from "./destination.ts";
import { atDestination, destinationError } from "./local-error.ts";
import { PROBE_NAME } from "./spelling.ts";

const MARKER_NAME = "destination.json";
const MARKER_BYTES_MAX = 4_096;

/**
 * An unmounted NAS is an empty folder. So the first put leaves a marker with a random id at the destination, and this
 * machine remembers the id: a folder that had the marker once and has it no more is refused instead of taken for new.
 */
export class Marker {
  #ensured: Promise<void> | undefined;

  constructor(
    private readonly destination: Destination,
    private readonly newHasher: NewHasher,
    /** Where this machine remembers; undefined: it does not. */
    private readonly stateFolder: string | undefined,
  ) {}

  /** @throws `provider_container_missing` when this machine has seen a marker here that is gone now */
  async check(): Promise<void> {
    const remembered = await this.remembered();
    if (remembered === undefined || (await this.read()) === remembered) return;
    throw new SyncError(
      "provider_container_missing",
      `the folder ${this.destination.root} is not the destination that was used before: ` +
        `its marker ${this.destination.own(MARKER_NAME)} is missing or another one. ` +
        `Mount the right disk; if the folder was replaced on purpose, delete ${this.recordPath() ?? ""}`,
    );
  }

  /** Makes the marker and remembers it, once. @throws as any put does */
  async ensure(): Promise<void> {
    this.#ensured ??= this.make();
    try {
      await this.#ensured;
    } catch (error) {
      this.#ensured = undefined;
      throw error;
    }
  }

  private async make(): Promise<void> {
    const id = (await this.read()) ?? (await this.create());
    const record = this.recordPath();
    if (record === undefined || (await this.remembered()) === id) return;
    const { root, files } = this.destination;
    await files.writeAtomic(record, json({ id, path: root }));
  }

  /**
   * Two machines may come at once: the lock lets one of them make the marker. A mount without locks takes the chance.
   */
  private async create(): Promise<string> {
    const { destination } = this;
    const { files } = destination;
    return await atDestination(async () => {
      const lock = await files.lock(destination.own("locks", "marker")).catch((error: unknown) => {
        const known = destinationError(error);
        if (known.code !== "provider_error") throw known;
        return undefined;
      });
      try {
        const there = await this.read();
        if (there !== undefined) return there;
        const id = crypto.randomUUID();
        await files.writeAtomic(destination.own(PROBE_NAME), new Uint8Array());
        await files.writeAtomic(destination.own(MARKER_NAME), json({ product: "comfyvn-cloud-sync", id }));
        return id;
      } finally {
        lock?.release();
      }
    });
  }

  private async read(): Promise<string | undefined> {
    return await atDestination(() => readId(this.destination.files, this.destination.own(MARKER_NAME)));
  }

  private async remembered(): Promise<string | undefined> {
    const record = this.recordPath();
    return record === undefined ? undefined : await readId(this.destination.files, record);
  }

  private recordPath(): string | undefined {
    if (this.stateFolder === undefined) return undefined;
    const hash = sha256Hex(this.newHasher, new TextEncoder().encode(this.destination.root));
    return this.destination.files.join(this.stateFolder, "local", `${hash.slice(0, 32)}.json`);
  }
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

/** The `id` of a small JSON file; undefined when there is none or it is damaged. */
async function readId(files: Files, path: string): Promise<string | undefined> {
  const bytes = await files.readBytes(path, MARKER_BYTES_MAX);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isJsonObject(value) && typeof value["id"] === "string" ? value["id"] : undefined;
  } catch {
    return undefined;
  }
}
