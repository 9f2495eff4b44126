import type { JsonObject } from "../core/json.ts";
import { entriesInOrder } from "./entries-in-order.ts";
import type { Manifest, ManifestEntry, ManifestFields } from "./manifest.ts";
import { pythonFloat } from "./python-float.ts";
import { Turn } from "../threads/turn.ts";

/** UTF-16 units of text in one chunk, about. */
const CHUNK_LENGTH = 65_536;

/**
 * A manifest as it is published: `{…extra, "manifest": {…}}` in UTF-8, indented by two as the Python studio writes it.
 * In chunks, so that a million entries never are one string. A `manifest` in `extra` is left out.
 */
export function encodeRemoteManifest(manifest: Manifest, extra: JsonObject = {}): Generator<Uint8Array<ArrayBuffer>> {
  return encodeManifestOf(manifest, entriesInOrder(manifest), extra);
}

/** The same of entries that are made one by one, by code point of the path. */
export function* encodeManifestOf(
  manifest: ManifestFields,
  entries: Iterable<ManifestEntry>,
  extra: JsonObject,
): Generator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let text = "{\n";
  for (const [key, value] of Object.entries(extra)) {
    if (key !== "manifest" && value !== undefined) text += `  ${JSON.stringify(key)}: ${indented(value)},\n`;
  }
  text += `  "manifest": {\n    "name": ${JSON.stringify(manifest.name)},\n    "root": ${JSON.stringify(manifest.root)},\n`;
  text += `    "created_at": ${JSON.stringify(manifest.created_at)},\n    "entries": {`;
  let separator = "\n";
  for (const entry of entries) {
    text += separator + entryText(entry);
    separator = ",\n";
    if (text.length < CHUNK_LENGTH) continue;
    yield encoder.encode(text);
    text = "";
  }
  text += `${separator === "\n" ? "" : "\n    "}}\n  }\n}`;
  yield encoder.encode(text);
}

/** A manifest as it is kept under cache/cloud/manifests: `{service, name, checksum, manifest}`. */
export function encodeCacheFile(
  service: string,
  checksum: string,
  manifest: Manifest,
): Generator<Uint8Array<ArrayBuffer>> {
  return encodeRemoteManifest(manifest, { service, name: manifest.name, checksum });
}

/** All chunks as one array, giving the event loop its turn between them. @throws SyncError `aborted` */
export async function joinChunks(chunks: Iterable<Uint8Array>, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const turn = new Turn(signal);
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.byteLength;
    if (turn.due()) await turn.pause();
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function entryText({ path, size, mtime, sha256 }: ManifestEntry): string {
  const key = JSON.stringify(path);
  return `      ${key}: {
        "path": ${key},
        "size": ${size},
        "mtime": ${pythonFloat(mtime)},
        "sha256": "${sha256}"
      }`;
}

/** JSON text has no line breaks inside strings, so each one found is layout. */
function indented(value: unknown): string {
  return (JSON.stringify(value, null, 2) ?? "null").replaceAll("\n", "\n  ");
}
