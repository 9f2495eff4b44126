import type { Static } from "typebox";
import type { HealthAnswerSchema } from "../api/health-answer.ts";
import type { Immutable } from "../api/operation.ts";
import type { App } from "../app.ts";
import { CONFIG_FILES } from "../config/settings.ts";
import { SyncError, toSyncError } from "../core/errors.ts";
import type { FileStat } from "../platform/contract.ts";

type Health = Immutable<Static<typeof HealthAnswerSchema>>;
/** What of a health answer is the workspace's. */
export type WorkspaceState = Pick<Health, "features" | "config" | "vault">;

/** A file whose times are this near may change again without a new one: kernels count time in ticks of up to 10 ms. */
const SETTLED_NS = 50_000_000n;

/** Flags and vault as they are now. While the files that they come from are unchanged, looking costs a stat each. */
export class WorkspaceWatch {
  readonly #app: App;
  readonly #files: readonly string[];
  #known: { readonly stamp: string; readonly state: WorkspaceState } | undefined;
  /** The files have been looked at in this turn of the event loop, which takes no request that came after it began. */
  #lookedThisTurn = false;

  constructor(app: App) {
    this.#app = app;
    this.#files = [...CONFIG_FILES.map((name) => app.platform.files.join(app.root, name)), app.vaultFile];
  }

  state(): WorkspaceState | Promise<WorkspaceState> {
    if (this.#lookedThisTurn && this.#known !== undefined) return this.#known.state;
    const stamp = this.#stamp();
    if (stamp === undefined || this.#known?.stamp !== stamp) return this.#look(stamp);
    this.#lookedThisTurn = true;
    setImmediate(() => (this.#lookedThisTurn = false));
    return this.#known.state;
  }

  async #look(stamp: string | undefined): Promise<WorkspaceState> {
    const state = { ...(await flagsOf(this.#app)), vault: await vaultOf(this.#app) };
    if (stamp !== undefined) this.#known = { stamp, state };
    return state;
  }

  /** Equal while no file was replaced or written; undefined while one is too fresh to tell. */
  #stamp(): string | undefined {
    const freshNs = BigInt(Date.now()) * 1_000_000n - SETTLED_NS;
    let stamp = this.#app.hasPassphrase() ? "passphrase" : "";
    for (const path of this.#files) {
      const stat = statOf(this.#app, path);
      if (stat !== undefined && stat.ctimeNs > freshNs) return undefined;
      stamp += stat === undefined ? ":" : `:${stat.inode},${stat.size},${stat.ctimeNs}`;
    }
    return stamp;
  }
}

function statOf({ platform }: App, path: string): FileStat | undefined {
  try {
    return platform.tree.stat(path);
  } catch {
    // Read anew, then the reading says what is wrong.
    return undefined;
  }
}

/** The flags, or why they cannot be told: a damaged config file does not make the server ill. */
async function flagsOf(app: App): Promise<Pick<Health, "features" | "config">> {
  try {
    return { features: (await app.settings()).features };
  } catch (error) {
    const { code, message } = toSyncError(error);
    return { features: null, config: { code, detail: message } };
  }
}

/** Whether there is a vault, and the server's own passphrase opens it. Derives a key, once for each vault's salt. */
async function vaultOf(app: App): Promise<Health["vault"]> {
  try {
    app.secrets.learn(await app.vault.unlock(await app.passphrase()));
    return { present: true, unlocked: true };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return { present: error.code !== "vault_missing", unlocked: false };
  }
}
