import { SyncError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";

const RESERVED: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
const INDEX = /^(0|[1-9][0-9]{0,8})$/;

/**
 * The keys of a dotted path: `cloud_sync.s3.bucket`. A backslash makes a dot or backslash after it part of the key.
 * Messages count keys and quote none: a path may come from a request.
 * @throws SyncError `vault_path` for an empty path or key, and for `__proto__`, `constructor`, `prototype`
 */
export function parseVaultPath(path: string): readonly string[] {
  const keys: string[] = [];
  let key = "";
  for (let i = 0; i < path.length; i++) {
    const character = path.charAt(i);
    const next = path.charAt(i + 1);
    if (character === "\\" && (next === "." || next === "\\")) {
      key += next;
      i++;
    } else if (character === ".") {
      keys.push(key);
      key = "";
    } else key += character;
  }
  keys.push(key);
  for (const [index, each] of keys.entries()) {
    if (each === "") throw fault(`has an empty name at position ${index + 1}`);
    if (RESERVED.has(each)) throw fault(`has a reserved name at position ${index + 1}`);
  }
  return keys;
}

/** The path that `parseVaultPath` splits into `keys`. */
export function formatVaultPath(keys: readonly string[]): string {
  return keys.map((key) => key.replace(/[.\\]/g, "\\$&")).join(".");
}

/** The value at `keys`, undefined when there is none. Array items go by their index. */
export function valueAt(root: JsonObject, keys: readonly string[]): unknown {
  let value: unknown = root;
  for (const key of keys) {
    if (Array.isArray(value)) value = INDEX.test(key) ? value[Number(key)] : undefined;
    else value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

/**
 * A copy of `root` with `value` at `keys`; objects on the way are made. An array takes an index that it has, or the next.
 * @throws SyncError `vault_path` when the path leads through text, a number, true, false, null, or past an array's end
 */
export function withValueAt(root: JsonObject, keys: readonly string[], value: unknown): JsonObject {
  const [key, ...rest] = keys;
  return key === undefined
    ? root
    : { ...root, [key]: replacement(Object.hasOwn(root, key) ? root[key] : undefined, rest, value, 2) };
}

/** A copy of `root` without what is at `keys`; undefined when nothing is. Emptied objects stay. */
export function withoutValueAt(root: JsonObject, keys: readonly string[]): JsonObject | undefined {
  const parentKeys = keys.slice(0, -1);
  const last = keys.at(-1);
  const parent = valueAt(root, parentKeys);
  if (last === undefined || valueAt(root, keys) === undefined) return undefined;
  if (Array.isArray(parent)) return withValueAt(root, parentKeys, parent.toSpliced(Number(last), 1));
  if (!isJsonObject(parent)) return undefined;
  const { [last]: _removed, ...kept } = parent;
  return parentKeys.length === 0 ? kept : withValueAt(root, parentKeys, kept);
}

/** What takes the place of `current` so that `value` is at `keys` below it. `position` of the first of `keys`, from 1. */
function replacement(current: unknown, keys: readonly string[], value: unknown, position: number): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  if (Array.isArray(current)) {
    const index = INDEX.test(key) ? Number(key) : -1;
    if (index < 0 || index > current.length) throw fault(`has no index of the array at position ${position}`);
    const items: unknown[] = Array.from<unknown>(current);
    items[index] = replacement(items[index], rest, value, position + 1);
    return items;
  }
  if (current !== undefined && !isJsonObject(current))
    throw fault(`leads through a plain value at position ${position - 1}`);
  const member = current !== undefined && Object.hasOwn(current, key) ? current[key] : undefined;
  return { ...current, [key]: replacement(member, rest, value, position + 1) };
}

function fault(what: string): SyncError {
  return new SyncError(
    "vault_path",
    `a path in the vault ${what}; write names with dots between them, like cloud_sync.s3.bucket`,
  );
}
