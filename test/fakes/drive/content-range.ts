import { badRequest } from "./drive-error.ts";

/** The `Content-Range` of a request to an upload session. */
export type ContentRange =
  /** The whole content at once: no such header. */
  | { readonly kind: "whole" }
  /** Bytes `*` of a total: how much is there? */
  | { readonly kind: "status"; readonly total: number | undefined }
  | { readonly kind: "chunk"; readonly first: number; readonly last: number; readonly total: number | undefined };

/** @throws DriveError for what cannot be read */
export function parseContentRange(header: string | undefined): ContentRange {
  if (header === undefined) return { kind: "whole" };
  const [, first, last, total] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(header) ?? [];
  if (total === undefined) throw badRequest("Failed to parse Content-Range header.");
  const all = total === "*" ? undefined : Number(total);
  if (first === undefined || last === undefined) return { kind: "status", total: all };
  const chunk = { kind: "chunk", first: Number(first), last: Number(last), total: all } as const;
  if (chunk.last < chunk.first || (all !== undefined && chunk.last >= all))
    throw badRequest("Failed to parse Content-Range header.");
  return chunk;
}
