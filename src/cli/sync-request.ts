import type { DryRunRequest } from "../api/sync-request.ts";
import type { ServiceName } from "../config/flags.ts";
import type { ServerFlags } from "./remote/with-api.ts";

/** The flags of `withDestination`. */
export interface DestinationFlags extends ServerFlags {
  readonly service: ServiceName;
  readonly credentialsKey?: string;
  readonly bucket?: string;
  readonly prefix?: string;
}

/** The flags of `plan`, which `run` takes too. */
export interface PlanFlags extends DestinationFlags {
  readonly snapshot?: string;
  readonly path?: readonly string[];
  readonly exclude?: readonly string[];
  readonly followSymlinks?: boolean;
  readonly rehash?: boolean;
}

/** The part of a request that says where to. */
export function destinationRequest(
  flags: DestinationFlags,
): Pick<DryRunRequest, "service" | "credentials_key" | "service_config"> {
  const { service, credentialsKey, bucket, prefix } = flags;
  return {
    service,
    ...(credentialsKey === undefined ? {} : { credentials_key: credentialsKey }),
    ...(bucket === undefined && prefix === undefined
      ? {}
      : {
          service_config: { ...(bucket === undefined ? {} : { bucket }), ...(prefix === undefined ? {} : { prefix }) },
        }),
  };
}

/** What a dry run is asked for. `--path` and the arguments together are its include paths. */
export function planRequest(flags: PlanFlags, args: readonly string[]): DryRunRequest {
  const { snapshot, exclude, followSymlinks, rehash } = flags;
  const paths = [...(flags.path ?? []), ...args];
  return {
    ...destinationRequest(flags),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(paths.length === 0 ? {} : { paths }),
    ...(exclude === undefined ? {} : { exclude: [...exclude] }),
    ...(followSymlinks === undefined ? {} : { follow_symlinks: followSymlinks }),
    ...(rehash === undefined ? {} : { rehash }),
  };
}
