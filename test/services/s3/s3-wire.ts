/** One request as the handlers of the test server see it. */
export interface S3Received {
  readonly method: string;
  /** As it was sent: percent-encoded. */
  readonly rawPath: string;
  readonly bucket: string;
  /** "" for the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly operation: string;
}

export interface S3Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** An error as S3 answers it. */
export class S3Failure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    /** Further elements of the answer's XML. */
    readonly more: Readonly<Record<string, string>> = {},
  ) {
    super(code);
  }
}

export function failureReply(failure: S3Failure): S3Reply {
  const fields = { Code: failure.code, Message: "of the test server", ...failure.more };
  return { ...xmlReply("Error", elements(fields)), status: failure.status };
}

/** A 200 with an XML document. */
export function xmlReply(root: string, content: string): S3Reply & { readonly body: string } {
  return {
    status: 200,
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${content}</${root}>`,
  };
}

export function elements(fields: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join("");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function unescapeXml(text: string): string {
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_, decimal: string) => String.fromCodePoint(Number(decimal)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}

/** The texts of all `<name>` elements of a document that is simple enough. */
export function textsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map((match) => unescapeXml(match[1] ?? ""));
}
