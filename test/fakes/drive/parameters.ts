import { badRequest, DriveError, invalidParameter } from "./drive-error.ts";

/** Query parameters of every method. Those that carry a credential in the address are refused with the unknown ones. */
const COMMON = ["alt", "fields", "prettyPrint", "quotaUser"];

const FLAGS = ["supportsAllDrives", "includeItemsFromAllDrives", "acknowledgeAbuse", "prettyPrint"];

/** The query parameters of a request, each known to its method. */
export class Parameters {
  readonly #values = new Map<string, string>();

  /** @throws DriveError for a parameter that the method does not have, or that comes twice */
  constructor(query: URLSearchParams, known: readonly string[]) {
    for (const [name, value] of query) {
      if (!known.includes(name) && !COMMON.includes(name)) throw badRequest(`Unknown query parameter: ${name}`);
      if (this.#values.has(name)) throw badRequest(`The query parameter ${name} is given twice.`);
      this.#values.set(name, value);
    }
    for (const name of FLAGS) this.flag(name);
    const alt = this.text("alt");
    if (alt !== undefined && alt !== "json" && alt !== "media") throw invalidParameter("alt");
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** false when it is absent. */
  flag(name: string): boolean {
    const value = this.#values.get(name);
    if (value !== undefined && value !== "true" && value !== "false") throw invalidParameter(name);
    return value === "true";
  }

  /** @throws DriveError for what is no whole number from `min` to `max` */
  integer(name: string, { min, max, absent }: { min: number; max: number; absent: number }): number {
    const value = this.#values.get(name);
    if (value === undefined) return absent;
    const number = /^-?\d{1,9}$/.test(value) ? Number(value) : undefined;
    if (number !== undefined && number >= min && number <= max) return number;
    throw new DriveError(
      400,
      "invalidParameter",
      `Invalid value '${value}'. Values must be within the range: [${min}, ${max}]`,
      { location: name },
    );
  }
}
