import { SyncError } from "../../core/errors.ts";

/**
 * The answers of S3, read by name. They are flat documents of elements and text, without comments or CDATA; what is not
 * such a document, or not whole, is refused at the root.
 */
export class XmlElement {
  readonly #inner: string;

  constructor(inner: string) {
    this.#inner = inner;
  }

  /** The text of the first element of that name, wherever it is; undefined when there is none. */
  text(name: string): string | undefined {
    const { value } = elementsOf(this.#inner, name).next();
    return value === undefined ? undefined : unescapeXml(value);
  }

  /** All elements of that name, which hold none of the same name. */
  all(name: string): XmlElement[] {
    return Array.from(elementsOf(this.#inner, name), (inner) => new XmlElement(inner));
  }
}

/** The name of the root element of a document that is whole to its last tag; undefined for anything else. */
export function rootOf(text: string): string | undefined {
  const [tag, root] = ROOT_TAG.exec(text) ?? [];
  if (tag === undefined || root === undefined) return undefined;
  const rest = text.trimEnd();
  return rest.endsWith(`</${root}>`) || (tag.endsWith("/>") && rest.length === tag.length) ? root : undefined;
}

/** @throws SyncError `provider_error` when the document is another or cut short */
export function readXml(text: string, root: string): XmlElement {
  if (rootOf(text) !== root) {
    throw new SyncError("provider_error", "the store's answer is not one of S3; check endpoint_url", {
      retryable: true,
    });
  }
  return new XmlElement(text.slice(ROOT_TAG.exec(text)?.[0].length, text.lastIndexOf("</")));
}

const ROOT_TAG = /^\s*(?:<\?xml[^>]*\?>\s*)?<(\w+)(?:\s[^>]*)?\/?>/;

/** What is between `<name …>` and the next `</name>`, in order. */
function* elementsOf(xml: string, name: string): Generator<string, void, undefined> {
  const open = `<${name}`;
  const close = `</${name}>`;
  for (let at = xml.indexOf(open); at !== -1; at = xml.indexOf(open, at)) {
    const tagEnd = xml.indexOf(">", at);
    const afterName = xml[at + open.length];
    at += open.length;
    if (tagEnd === -1) return;
    if (afterName !== ">" && afterName !== "/" && !/\s/.test(afterName ?? "x")) continue;
    if (xml[tagEnd - 1] === "/") {
      yield "";
      at = tagEnd + 1;
      continue;
    }
    const end = xml.indexOf(close, tagEnd);
    if (end === -1) return;
    yield xml.slice(tagEnd + 1, end);
    at = end + close.length;
  }
}

const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w+));/g, (entity, decimal, hex, name) => {
    if (name !== undefined) return NAMED[String(name)] ?? entity;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}
