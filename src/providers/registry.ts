import { SyncError, toSyncError } from "../core/errors.ts";
import type { OpenProvider } from "./contract.ts";

/** What a provider's module exports. */
export interface ProviderModule {
  readonly openProvider: OpenProvider;
}

export type ProviderLoaders = Readonly<Record<string, () => Promise<ProviderModule>>>;

/**
 * One line a provider. The specifiers are literal, so that a bundler finds the modules, and each is loaded on first
 * use: the SDKs behind them are optional and cost memory.
 */
export const PROVIDER_LOADERS: ProviderLoaders = {
  s3: () => import("./s3/s3-provider.ts"),
  gdrive: () => import("./gdrive/drive-provider.ts"),
  local: () => import("./local/local-provider.ts"),
};

/** The optional packages of a provider: whoever lacks one is told them all, and not one after the other. */
const OPTIONAL_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  s3: ["@aws-sdk/client-s3", "@smithy/signature-v4"],
  gdrive: ["googleapis"],
};

/**
 * The provider of `service`. Nothing is remembered here: a load that failed is tried again at the next call.
 * @throws SyncError `provider_unsupported` for a service without a provider; `sdk_missing` when an optional package is
 * not installed; `internal` when the module itself fails
 */
export async function loadProvider(
  service: string,
  loaders: ProviderLoaders = PROVIDER_LOADERS,
): Promise<OpenProvider> {
  const load = Object.hasOwn(loaders, service) ? loaders[service] : undefined;
  if (load === undefined) {
    const known = Object.keys(loaders).join(", ");
    throw new SyncError("provider_unsupported", `this version has no provider of that name; it has: ${known}`);
  }
  try {
    return (await load()).openProvider;
  } catch (error) {
    const missing = missingPackage(error);
    if (missing === undefined) throw toSyncError(error);
    const packages = (OPTIONAL_PACKAGES[service] ?? [missing]).join(" ");
    throw new SyncError(
      "sdk_missing",
      `the ${service} provider needs the package ${missing}, which is not installed; ` +
        `install what it needs with: bun add ${packages} (then restart)`,
      { details: { package: missing }, cause: error },
    );
  }
}

/** What a module loader of Bun, Deno or Node calls a specifier that leads nowhere. */
const NOT_FOUND_CODES = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"];
const QUOTED = /['"]([^'"]+)['"]/;
/** `@scope/name` or `name`: not a path, not a URL. */
const PACKAGE = /^(@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*/i;

/** The package whose absence made an import fail; undefined for any other failure. */
function missingPackage(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !NOT_FOUND_CODES.includes(String(error.code)))
    return undefined;
  const specifier = QUOTED.exec(error.message)?.[1] ?? "";
  if (/^[a-z]+:/i.test(specifier) && !specifier.startsWith("npm:")) return undefined;
  return PACKAGE.exec(specifier.replace(/^npm:\/?/, ""))?.[0];
}
