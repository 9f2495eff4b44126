import { SyncError } from "../../core/errors.ts";
import { orAborted } from "../transfer/or-aborted.ts";
import type { DriveFiles } from "./drive-files.ts";
import { type DriveFile, FOLDER_TYPE } from "./drive-file.ts";
import { type DriveSettings, seesOwnFilesOnly } from "./settings.ts";

/**
 * One folder of the settings. Drive answers a search in a folder that is gone, in the trash or not shared with nothing
 * found: what is there is looked at before that is believed.
 */
export class DriveFolder {
  readonly id: string;
  readonly #setting: string;
  readonly #files: DriveFiles;
  readonly #settings: DriveSettings;
  readonly #seenMs: number;
  #looking: Promise<DriveFile> | undefined;
  #driveId: string | undefined;
  #seenAtMs = Number.NEGATIVE_INFINITY;

  /** @param setting its name there */
  constructor(id: string, setting: string, files: DriveFiles, settings: DriveSettings, seenMs: number) {
    this.id = id;
    this.#setting = setting;
    this.#files = files;
    this.#settings = settings;
    this.#seenMs = seenMs;
    this.#driveId = settings.driveId;
  }

  /** The shared drive to search; known after the first `check`. */
  get driveId(): string | undefined {
    return this.#driveId;
  }

  /**
   * Makes sure that the folder is there, once.
   * @throws SyncError `provider_container_missing`; `provider_config` for a `drive_id` that is not its drive; what Drive
   * throws
   */
  async checkOnce(signal: AbortSignal | undefined): Promise<void> {
    if (this.#seenAtMs === Number.NEGATIVE_INFINITY) await this.#look(signal);
  }

  /** The same after a search found nothing: at once, or some seconds ago. */
  async checkAgain(signal: AbortSignal | undefined): Promise<void> {
    if (Date.now() - this.#seenAtMs > this.#seenMs) await this.#look(signal);
  }

  async #look(signal: AbortSignal | undefined): Promise<void> {
    // Calls that begin together look once; one that is aborted must not take the others with it.
    this.#looking ??= this.#see().finally(() => {
      this.#looking = undefined;
    });
    const { driveId } = await orAborted(this.#looking, signal);
    this.#driveId = this.#settings.driveId ?? driveId;
    this.#seenAtMs = Date.now();
  }

  async #see(): Promise<DriveFile> {
    const found = await this.#files.get(this.id, undefined);
    if (found === undefined) throw this.#missing(`the Drive folder of ${this.#setting} cannot be seen`, true);
    if (found.mimeType !== FOLDER_TYPE) throw this.#missing(`${this.#setting} is the id of a file and not of a folder`);
    if (found.trashed) throw this.#missing(`the Drive folder of ${this.#setting} is in the trash; take it out`);
    const { driveId } = this.#settings;
    if (driveId !== undefined && driveId !== found.driveId && driveId !== found.id) throw this.#elsewhere();
    return found;
  }

  /** A search in another drive finds nothing: the folder would look empty, and everything be sent again. */
  #elsewhere(): SyncError {
    return new SyncError(
      "provider_config",
      `the gdrive setting drive_id is not the shared drive that holds the folder of ${this.#setting}; correct it, or leave it out`,
      { details: { setting: "drive_id" } },
    );
  }

  #missing(what: string, unseen = false): SyncError {
    const share = "Share it with the service account (client_email of its key) as content manager, or correct the id";
    const scope = seesOwnFilesOnly(this.#settings)
      ? `${share}. With scopes drive.file an account sees only what it made itself: for a folder that somebody shared with it set scopes to drive`
      : share;
    return new SyncError("provider_container_missing", unseen ? `${what}. ${scope}` : what, {
      details: { setting: this.#setting },
    });
  }
}
