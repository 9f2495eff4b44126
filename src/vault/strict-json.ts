export type StrictJson = { readonly value: unknown } | { readonly fault: string };

/**
 * Parses JSON (RFC 8259) and refuses what parsers disagree on: an object that names a key twice. Nesting is bounded
 * before anything is built. The fault completes a sentence ("… is not valid JSON") and quotes nothing of the text.
 */
export function parseStrictJson(text: string, depthMax: number): StrictJson {
  if (!nestsWithin(text, depthMax)) return { fault: `is nested more than ${depthMax} levels deep` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The engine's message quotes the text.
    return { fault: "is not valid JSON" };
  }
  return hasDuplicateKey(text) ? { fault: "names a key twice in one object" } : { value };
}

/** Decodes UTF-8; undefined when the bytes are not valid UTF-8. A byte order mark stays, as U+FEFF. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Counts brackets outside strings; the text need not be valid. */
function nestsWithin(text: string, depthMax: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') i = stringEnd(text, i);
    else if (character === "{" || character === "[") {
      if (++depth > depthMax) return false;
    } else if (character === "}" || character === "]") depth--;
  }
  return true;
}

/** `text` must be valid JSON. */
function hasDuplicateKey(text: string): boolean {
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{" || character === "[") open.push(new Set());
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const end = stringEnd(text, i);
      if (isKey(text, end)) {
        const key: unknown = JSON.parse(text.slice(i, end + 1));
        const keys = open.at(-1);
        if (keys === undefined || typeof key !== "string" || keys.has(key)) return true;
        keys.add(key);
      }
      i = end;
    }
  }
  return false;
}

/** True when a colon follows the string that ends at `end`: in valid JSON only keys have one. */
function isKey(text: string, end: number): boolean {
  let i = end + 1;
  while (text[i] === " " || text[i] === "\n" || text[i] === "\r" || text[i] === "\t") i++;
  return text[i] === ":";
}

/** Index of the quote that closes the string opened at `start`; the text's length when none does. */
function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
