import type { RelativePath } from "../core/paths.ts";
import type { TreeWriter } from "../platform/contract.ts";

/** How much more room the files of a restore take, by file system: folders of a workspace may be mounts. */
export class SpaceNeeded {
  readonly #writer: TreeWriter;
  readonly #rootDevice: bigint;
  /** Bytes, and a folder of that file system which exists. */
  readonly #byDevice = new Map<bigint, { readonly folder: RelativePath; bytes: number }>();
  /** Most files are in the folder of the one before. */
  #last: { readonly folder: RelativePath; readonly need: { bytes: number } } | undefined;

  constructor(writer: TreeWriter, rootDevice: bigint) {
    this.#writer = writer;
    this.#rootDevice = rootDevice;
  }

  add(path: RelativePath, bytes: number): void {
    const folder = parentOf(path);
    if (this.#last?.folder !== folder) this.#last = { folder, need: this.#needOf(folder) };
    this.#last.need.bytes += bytes;
  }

  all(): Iterable<{ readonly folder: RelativePath; readonly bytes: number }> {
    return this.#byDevice.values();
  }

  #needOf(folder: RelativePath): { bytes: number } {
    const place = this.#placeOf(folder);
    const known = this.#byDevice.get(place.device);
    if (known !== undefined) return known;
    const need = { folder: place.folder, bytes: 0 };
    this.#byDevice.set(place.device, need);
    return need;
  }

  /** The folder, or the first one above it that exists. */
  #placeOf(folder: RelativePath): { readonly folder: RelativePath; readonly device: bigint } {
    for (let at = folder; at !== ""; at = parentOf(at)) {
      const device = this.#writer.lstat(at)?.device;
      if (device !== undefined) return { folder: at, device };
    }
    return { folder: "", device: this.#rootDevice };
  }
}

function parentOf(path: RelativePath): RelativePath {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
