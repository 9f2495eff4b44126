import { SyncError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { decodeUtf8 } from "./strict-json.ts";

const DEPTH_MAX = 100;

/** What an envelope holds. */
export interface Payload {
  readonly value: JsonObject;
  /** The JSON it was read from, which spells numbers that JavaScript cannot hold. */
  readonly text: string;
}

/** @throws SyncError `vault_malformed` unless the plaintext is a UTF-8 JSON object */
export function decodePayload(plaintext: Uint8Array): Payload {
  const text = decodeUtf8(plaintext);
  if (text === undefined) throw malformed("is not valid UTF-8");
  let value: unknown;
  try {
    // Of a key named twice the last counts, as in Python: the payload is authentic, there is nobody to mistrust.
    value = JSON.parse(text);
  } catch {
    throw malformed("is not valid JSON");
  }
  if (!isJsonObject(value)) throw malformed("is not a JSON object");
  checkDepth(value, 1);
  return { value, text };
}

/**
 * `value` as UTF-8 JSON. A number that `previous` spells as JavaScript would not (12345678901234567890, 1.0, 1e400) and
 * whose value is unchanged keeps its digits, so that editing one secret never rounds another.
 * @throws SyncError `bad_request` when `value` is not plain JSON: undefined, NaN, a Date, a cycle, over 100 levels
 */
export function encodePayload(value: JsonObject, previous?: Payload): Uint8Array<ArrayBuffer> {
  const shadow = previous === undefined ? undefined : exactNumbers(previous.text);
  return new TextEncoder().encode(encodeValue(value, shadow, 1));
}

/** Equality of JSON values: the order of keys does not count. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => jsonEqual(item, b[index]));
  }
  if (!isJsonObject(a)) return a === b;
  if (!isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && jsonEqual(a[key], b[key]))
  );
}

class ExactNumber {
  constructor(readonly source: string) {}
}

/** The parsed text, with an ExactNumber wherever JavaScript would spell the number otherwise. */
function exactNumbers(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    return typeof value === "number" && source !== undefined && source !== String(value)
      ? new ExactNumber(source)
      : value;
  });
}

function encodeValue(value: unknown, shadow: unknown, depth: number): string {
  if (depth > DEPTH_MAX) throw notJson(`it is nested more than ${DEPTH_MAX} levels deep`);
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return encodeNumber(value, shadow);
  if (Array.isArray(value)) return `[${encodeItems(value, shadow, depth)}]`;
  if (!isPlainObject(value)) throw notJson("a value in it is none of object, array, text, number, true, false, null");
  const members = Object.entries(value).map(([key, member]) => {
    const shadowMember = isJsonObject(shadow) && Object.hasOwn(shadow, key) ? shadow[key] : undefined;
    return `${JSON.stringify(key)}:${encodeValue(member, shadowMember, depth + 1)}`;
  });
  return `{${members.join(",")}}`;
}

function encodeItems(items: readonly unknown[], shadow: unknown, depth: number): string {
  const shadowItems: readonly unknown[] = Array.isArray(shadow) ? shadow : [];
  // Array.from visits holes, which map would skip.
  return Array.from(items, (item, index) => encodeValue(item, shadowItems[index], depth + 1)).join(",");
}

function encodeNumber(value: number, shadow: unknown): string {
  if (shadow instanceof ExactNumber && Number(shadow.source) === value) return shadow.source;
  if (!Number.isFinite(value)) throw notJson("a number in it is not finite");
  return JSON.stringify(value);
}

function isPlainObject(value: unknown): value is JsonObject {
  if (!isJsonObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth > DEPTH_MAX) throw malformed(`is nested more than ${DEPTH_MAX} levels deep`);
  for (const member of Object.values(value)) checkDepth(member, depth + 1);
}

function malformed(fault: string): SyncError {
  return new SyncError("vault_malformed", `the passphrase opens the vault, but what it holds ${fault}`);
}

function notJson(fault: string): SyncError {
  return new SyncError("bad_request", `the vault's new payload is not plain JSON: ${fault}`);
}
