import { SyncError } from "../../core/errors.ts";

const BODY_BYTES_MAX = 1024 * 1024;
const JSON_DEPTH_MAX = 32;
/** For a whole body, which is small: a sender that drips holds its connection no longer. */
const BODY_MS_MAX = 30_000;
/** Exactly JSON, in UTF-8. Anything looser lets a form of a foreign page through without a preflight. */
const JSON_MEDIA_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/**
 * The JSON of a request's body, size and depth bounded. An empty body is an empty object.
 * @throws SyncError `unsupported_media_type`, `body_too_large`, `request_timeout`, `bad_request` for what is not JSON
 */
export async function readJsonBody(request: Request, msMax: number = BODY_MS_MAX): Promise<unknown> {
  if (!JSON_MEDIA_TYPE.test(request.headers.get("content-type")?.trim() ?? "")) {
    throw new SyncError("unsupported_media_type", "send the body as Content-Type: application/json");
  }
  const bytes = await readBounded(request, msMax);
  if (bytes.byteLength === 0) return {};
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new SyncError("bad_request", "the body is not valid UTF-8", { cause: error });
  }
  if (depthOf(text) > JSON_DEPTH_MAX)
    throw new SyncError("bad_request", `the body is nested deeper than ${JSON_DEPTH_MAX}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyncError("bad_request", "the body is not valid JSON", { cause: error });
  }
}

async function readBounded(request: Request, msMax: number): Promise<Uint8Array> {
  const tooLarge = () => new SyncError("body_too_large", `the body is larger than ${BODY_BYTES_MAX} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const deadline = inTime(msMax);
  try {
    for (;;) {
      const chunk = await Promise.race([reader.read(), deadline.passed]);
      if (chunk.done) return joined(chunks, length);
      length += chunk.value.byteLength;
      if (length > BODY_BYTES_MAX) throw tooLarge();
      chunks.push(chunk.value);
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error;
  } finally {
    deadline.clear();
  }
}

/** `passed` rejects after `ms` unless cleared. */
function inTime(ms: number): { readonly passed: Promise<never>; readonly clear: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SyncError("request_timeout", "the body did not arrive in time")), ms);
  });
  return { passed, clear: () => clearTimeout(timer) };
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** The deepest nesting of brackets outside strings: known before a parser recurses into them. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === "\\") i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "[" || char === "{") deepest = Math.max(deepest, ++depth);
    else if (char === "]" || char === "}") depth--;
  }
  return deepest;
}
