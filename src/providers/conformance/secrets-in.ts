const DEPTH_MAX = 8;

/**
 * Where in `value` one of `secrets` shows: in a message, a stack, a cause, a property however deep, hidden or named by
 * a symbol, in its JSON, also base64 or percent-encoded. Undefined when nowhere.
 */
export function secretsIn(value: unknown, secrets: readonly string[]): string | undefined {
  const needles = secrets.filter((secret) => secret !== "").flatMap(spellings);
  if (needles.length === 0) return undefined;
  return search(value, needles, "value", new Set(), 0);
}

function spellings(secret: string): string[] {
  const bytes = String.fromCharCode(...new TextEncoder().encode(secret));
  return [...new Set([secret, encodeURIComponent(secret), btoa(bytes).replace(/=+$/, "")])];
}

function search(
  value: unknown,
  needles: readonly string[],
  place: string,
  seen: Set<unknown>,
  depth: number,
): string | undefined {
  if (typeof value === "string") return needles.some((needle) => value.includes(needle)) ? place : undefined;
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  if (seen.has(value) || depth > DEPTH_MAX) return undefined;
  seen.add(value);
  if (value instanceof Uint8Array) return search(new TextDecoder().decode(value), needles, place, seen, depth);
  if (value instanceof Map || value instanceof Set || value instanceof Headers) {
    return search([...value], needles, place, seen, depth + 1);
  }
  for (const key of Reflect.ownKeys(value)) {
    const name = String(key);
    if (needles.some((needle) => name.includes(needle))) return `${place}.<a property's name>`;
    const found = search(readProperty(value, key), needles, `${place}.${name}`, seen, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A getter that throws holds nothing. */
function readProperty(value: object, key: string | symbol): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}
