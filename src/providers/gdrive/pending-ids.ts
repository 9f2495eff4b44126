/**
 * The reserved ids of creates whose outcome is not known: a repeat uses the same one, so that it makes no second file.
 */
export class PendingIds {
  readonly #ids = new Map<string, string>();

  of(key: string): string | undefined {
    return this.#ids.get(key);
  }

  set(key: string, id: string): void {
    this.#ids.set(key, id);
  }

  clear(key: string): void {
    this.#ids.delete(key);
  }
}
