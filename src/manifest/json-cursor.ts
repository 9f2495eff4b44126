/** Levels of nesting; a manifest has four. Deeper text is refused before a parser recurses into it. */
const DEPTH_MAX = 64;

const BYTE = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  backslash: 0x5c,
  openBracket: 0x5b,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/**
 * Goes through the members of JSON objects in UTF-8 bytes, so that a document of hundreds of MB is parsed in pieces
 * between which other work gets its turn. It finds where values begin and end; JSON.parse judges what is inside.
 * ```ts
 * cursor.open();
 * while (cursor.nextMember()) { const key = cursor.key(); values.set(key, cursor.value()); }
 * ```
 */
export class JsonCursor {
  readonly #bytes: Uint8Array;
  readonly #fail: (fault: string) => Error;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #at: number;
  /** Directly after an opening brace: no comma before the next member. */
  #fresh = false;
  #memberStart = 0;
  #keyEnd = 0;

  /** @param fail makes the error that every method throws when the text is not JSON */
  constructor(bytes: Uint8Array, fail: (fault: string) => Error) {
    this.#bytes = bytes;
    this.#fail = fail;
    this.#at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  }

  /** Index of the next byte. */
  get position(): number {
    return this.#at;
  }

  /** True when the next value is an object. */
  atObject(): boolean {
    return this.#peek() === BYTE.openBrace;
  }

  /** Enters the object that comes next. */
  open(): void {
    this.#take(BYTE.openBrace);
    this.#fresh = true;
  }

  /** Goes to the value of the next member. False at the end of the object, which is left. */
  nextMember(): boolean {
    if (this.#peek() === BYTE.closeBrace) {
      this.#at++;
      this.#fresh = false;
      return false;
    }
    if (!this.#fresh) this.#take(BYTE.comma);
    if (this.#peek() !== BYTE.quote) throw this.#notJson();
    this.#memberStart = this.#at;
    this.#at = this.#endOfString(this.#at);
    this.#keyEnd = this.#at;
    this.#take(BYTE.colon);
    return true;
  }

  key(): string {
    return String(this.#parse(this.#memberStart, this.#keyEnd));
  }

  /** The next value, parsed. */
  value(): unknown {
    this.#peek();
    const start = this.#at;
    this.#skipValue();
    return this.#parse(start, this.#at);
  }

  /** After the outermost value: nothing may follow. */
  end(): void {
    if (this.#peek() !== undefined) throw this.#fail("holds more than one JSON value");
  }

  #skipValue(): void {
    const first = this.#peek();
    if (first === BYTE.quote) this.#at = this.#endOfString(this.#at);
    else if (first === BYTE.openBrace || first === BYTE.openBracket) this.#at = this.#endOfContainer(this.#at);
    else this.#at = this.#endOfScalar(this.#at);
    this.#fresh = false;
  }

  #parse(start: number, end: number): unknown {
    const text = this.#text(start, end);
    try {
      return JSON.parse(text);
    } catch {
      throw this.#notJson();
    }
  }

  #text(start: number, end: number): string {
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, end));
    } catch {
      throw this.#fail("is not UTF-8");
    }
  }

  /** The next byte that is no white space, without taking it. */
  #peek(): number | undefined {
    let byte = this.#bytes[this.#at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = this.#bytes[++this.#at];
    return byte;
  }

  #take(byte: number): void {
    if (this.#peek() !== byte) throw this.#notJson();
    this.#at++;
  }

  #endOfString(start: number): number {
    const bytes = this.#bytes;
    for (let i = start + 1; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === BYTE.quote) return i + 1;
      if (byte === BYTE.backslash) i++;
    }
    throw this.#notJson();
  }

  #endOfContainer(start: number): number {
    const bytes = this.#bytes;
    let depth = 0;
    for (let i = start; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === BYTE.quote) {
        i = this.#endOfString(i) - 1;
      } else if (byte === BYTE.openBrace || byte === BYTE.openBracket) {
        if (++depth > DEPTH_MAX) throw this.#fail("is nested too deeply");
      } else if (byte === BYTE.closeBrace || byte === BYTE.closeBracket) {
        if (--depth === 0) return i + 1;
      }
    }
    throw this.#notJson();
  }

  #endOfScalar(start: number): number {
    let i = start;
    for (let byte = this.#bytes[i]; byte !== undefined && isScalarByte(byte); byte = this.#bytes[i]) i++;
    if (i === start) throw this.#notJson();
    return i;
  }

  #notJson(): Error {
    return this.#fail("is not valid JSON, or is cut short");
  }
}

/** Letters, digits, `+`, `-`, `.`: what numbers, true, false and null are made of. */
function isScalarByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x45 ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e
  );
}
