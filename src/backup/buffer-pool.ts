/** Buffers of one size that are used again and again: left to the garbage collector they would pile up. */
export class BufferPool {
  readonly bytesEach: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  constructor(bytesEach: number) {
    this.bytesEach = bytesEach;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(this.bytesEach);
  }

  /** Nobody may use `buffer` from here on. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    this.#free.push(buffer);
  }
}
