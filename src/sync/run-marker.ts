import { isJsonObject } from "../core/json.ts";
import type { NewHasher } from "../core/hash.ts";
import type { RelativePath } from "../core/paths.ts";
import type { Provider } from "../providers/contract.ts";
import { bytesSource, readBody } from "./object-bytes.ts";
import type { TreeLayout } from "./tree-layout.ts";

/**
 * An object beside the manifest for as long as a run changes things. One that is found at the start of a run says that
 * an earlier one was cut off, on this machine or another, and which objects it may have written.
 */
export interface RunMarker {
  /** Paths whose objects may differ from the published manifest. */
  readonly touched: ReadonlySet<RelativePath>;
  /** True when its run has ended and the store had answered all that was asked of it: nothing of it can come late. */
  readonly isSettled: boolean;
}

/** A marker that was read, with the version of its object. */
export interface FetchedMarker extends RunMarker {
  readonly objectVersion: string;
}

const FORMAT = 1;

/** undefined when the last run published. A marker that cannot be read counts as one that names nothing. */
export async function fetchMarker(
  provider: Provider,
  layout: TreeLayout,
  signal?: AbortSignal,
): Promise<FetchedMarker | undefined> {
  const content = await provider.get(layout.markerKey, signal === undefined ? {} : { signal });
  if (content === undefined) return undefined;
  return { ...parseMarker(await readBody(content)), objectVersion: content.version };
}

/** @returns the version of its object, which tells it from any other run's */
export async function putMarker(
  provider: Provider,
  layout: TreeLayout,
  marker: RunMarker,
  startedAt: string,
  newHasher: NewHasher,
  signal?: AbortSignal,
): Promise<string> {
  const text = JSON.stringify({
    format: FORMAT,
    started_at: startedAt,
    settled: marker.isSettled,
    touched: [...marker.touched],
  });
  const bytes = new TextEncoder().encode(text);
  const hasher = newHasher();
  hasher.update(bytes);
  const { version } = await provider.put(layout.markerKey, bytesSource(bytes), {
    sha256: hasher.digestHex(),
    contentType: "application/json",
    ...(signal === undefined ? {} : { signal }),
  });
  return version;
}

/** Takes the marker away where it is the one of `version`: another one tells of another run. */
export async function removeMarker(
  provider: Provider,
  layout: TreeLayout,
  version: string,
  signal: AbortSignal,
): Promise<void> {
  const found = await provider.stat(layout.markerKey, { signal });
  if (found?.version === version) await provider.delete([layout.markerKey], { signal });
}

function parseMarker(bytes: Uint8Array): RunMarker {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return { touched: new Set(), isSettled: false };
  }
  const { touched, settled } = isJsonObject(value) ? value : {};
  const paths = Array.isArray(touched) ? touched.filter((path) => typeof path === "string") : [];
  return { touched: new Set(paths), isSettled: settled === true };
}
