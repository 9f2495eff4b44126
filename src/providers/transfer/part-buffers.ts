/**
 * Memory for content, used again: fresh memory for every part costs more CPU than hashing it, and the collector lets ten
 * times as much pile up (measured: 60 parts of 16 MiB, 1.1 s and 500 MB against 0.4 s and 170 MB).
 */
export class PartBuffers {
  readonly #free: Uint8Array[] = [];
  readonly #keptMax: number;
  readonly #unitBytes: number;

  /** @param unitBytes what is made is a multiple of this, so that contents of differing sizes can share it */
  constructor(keptMax: number, unitBytes = 1) {
    this.#keptMax = keptMax;
    this.#unitBytes = unitBytes;
  }

  /** `bytes` bytes with whatever is in them. */
  take(bytes: number): Uint8Array {
    const at = this.#free.findIndex((buffer) => buffer.buffer.byteLength >= bytes);
    const [buffer] = at === -1 ? [] : this.#free.splice(at, 1);
    const made = () => new ArrayBuffer(Math.ceil(bytes / this.#unitBytes) * this.#unitBytes);
    return new Uint8Array(buffer?.buffer ?? made(), 0, bytes);
  }

  /** Only what nobody reads any more: a request that failed may still be sending. */
  giveBack(buffer: Uint8Array): void {
    if (this.#free.length < this.#keptMax) this.#free.push(buffer);
  }

  clear(): void {
    this.#free.length = 0;
  }
}
