import { describe, expect, test } from "bun:test";
import { crc32, deflateRawSync } from "node:zlib";
import { nodeCompression } from "../../src/platform/node/node-compression.ts";

const PIECE_BYTES_MAX = 65_536;

interface Piece {
  readonly packed: Uint8Array;
  readonly size: number;
  readonly crc: number;
}

function piece(text: string, level = 6): Piece & { readonly bytes: Uint8Array } {
  const bytes = new TextEncoder().encode(text);
  return { bytes, packed: new Uint8Array(deflateRawSync(bytes, { level })), size: bytes.byteLength, crc: crc32(bytes) };
}

function inflated(pieces: readonly Piece[]): (string | undefined)[] {
  const group = nodeCompression.newInflateGroup(PIECE_BYTES_MAX);
  for (const { packed, size, crc } of pieces) group.add(packed, size, crc);
  return group.inflate().map((bytes) => bytes && new TextDecoder().decode(bytes));
}

const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const number = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const texts = Array.from({ length: 40 }, (_, i) => `line ${i} of a script, `.repeat((i * i) % 97));

describe("streams that are inflated together", () => {
  test("come out each as it went in, empty ones too", () => {
    expect(inflated(texts.map((text) => piece(text)))).toEqual(texts);
    expect(inflated([piece(""), piece("")])).toEqual(["", ""]);
    expect(inflated([])).toEqual([]);
  });

  test("are read right when their bytes look like the start of a gzip member", () => {
    // Level 0 stores: the text itself is in the stream.
    const text = "before \u001f\u008b\u0008 after";
    const latin = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const packed = new Uint8Array(deflateRawSync(latin, { level: 0 }));
    const group = nodeCompression.newInflateGroup(PIECE_BYTES_MAX);
    group.add(packed, latin.byteLength, crc32(latin));
    group.add(packed, latin.byteLength, crc32(latin));
    expect(group.inflate()).toEqual([latin, latin]);
  });

  const good = piece("content ".repeat(30));
  const empty = piece("");
  const member = joined(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff));
  const trailer = (of: Piece) => joined(number(of.crc), number(of.size));
  const broken: Readonly<Record<string, Piece>> = {
    "is broken": { ...good, packed: Uint8Array.of(7, 7, 7) },
    "is cut": { ...good, packed: good.packed.subarray(0, -2) },
    "stands for more": { ...good, size: good.size - 1 },
    "stands for less": { ...good, size: good.size + 1 },
    "is followed by something": { ...good, packed: joined(good.packed, Uint8Array.of(0)) },
    "has another one before it": { ...good, packed: joined(empty.packed, trailer(empty), member, good.packed) },
    "has another one behind it": { ...good, packed: joined(good.packed, trailer(good), member, empty.packed) },
  };
  for (const [what, bad] of Object.entries(broken)) {
    test(`do not hide that one ${what}`, () => {
      const pieces = [piece("first"), piece("second"), bad, piece("last")];
      expect(inflated(pieces)).toEqual(["first", "second", undefined, "last"]);
      expect(nodeCompression.inflateNow(bad.packed, bad.size)).toBeUndefined();
    });
  }

  test("whose sizes are wrong but add up are each told", () => {
    const [a, b] = [piece("four"), piece("seven77")];
    expect(
      inflated([
        { ...a, size: 5 },
        { ...b, size: 6 },
      ]),
    ).toEqual([undefined, undefined]);
  });

  test("fill a group that then takes others", () => {
    const group = nodeCompression.newInflateGroup(PIECE_BYTES_MAX);
    const isFull = () => group.isFull;
    const noise = crypto.getRandomValues(new Uint8Array(20_000));
    const packed = new Uint8Array(deflateRawSync(noise));
    for (let round = 0; round < 3; round++) {
      let added = 0;
      for (; !isFull(); added++) group.add(packed, noise.byteLength, crc32(noise));
      expect(added).toBeGreaterThan(1);
      expect(group.inflate()).toEqual(Array.from({ length: added }, () => noise));
      expect(isFull()).toBe(false);
    }
  });
});
