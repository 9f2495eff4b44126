import { DriveError } from "./drive-error.ts";

/**
 * The bytes that a `Range` header asks for, both ends included; undefined for all, which is also what a header that is
 * not understood means.
 * @throws DriveError 416 when there are none
 */
export function parseByteRange(
  header: string | undefined,
  size: number,
): { readonly first: number; readonly last: number } | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return undefined;
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(size - 1, Number(to));
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  if (first > last)
    throw new DriveError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable", {
      headers: { "content-range": `bytes */${size}` },
      location: "Range",
      locationType: "header",
    });
  return { first, last };
}
