import { DriveError } from "./drive-error.ts";
import type { FieldTree } from "./field-trees.ts";

/** What a `fields` parameter asks for: everything, or these fields. */
export type FieldMask = "all" | ReadonlyMap<string, FieldMask>;

/**
 * Reads `a,b/c,d(e,f/g),*` against the fields that there are.
 * @throws DriveError invalidParameter for what cannot be read or does not exist
 */
export function parseFieldMask(text: string, tree: FieldTree): FieldMask {
  // Drive answers an empty mask with an empty object.
  if (text === "") return new Map();
  const parser = new MaskParser(text);
  const mask = parser.list(tree);
  parser.end();
  return mask;
}

/** The part of `value` that the mask asks for; a field that `value` does not have stays away. */
export function applyFieldMask(value: unknown, mask: FieldMask): unknown {
  if (mask === "all") return value;
  if (Array.isArray(value)) return value.map((each) => applyFieldMask(each, mask));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => mask.has(name));
  return Object.fromEntries(kept.map(([name, each]) => [name, applyFieldMask(each, mask.get(name) ?? "all")]));
}

class MaskParser {
  #at = 0;

  constructor(private readonly text: string) {}

  list(tree: FieldTree): FieldMask {
    const fields = new Map<string, FieldMask>();
    let all = false;
    do {
      const name = this.#name();
      if (name === "*") all = true;
      else merge(fields, name, this.#below(name, tree));
    } while (this.#take(","));
    return all ? "all" : fields;
  }

  end(): void {
    if (this.#at < this.text.length) throw invalidSelection(this.text);
  }

  #below(name: string, tree: FieldTree): FieldMask {
    const inner = tree === "any" ? "any" : tree[name];
    if (inner === undefined) throw invalidSelection(name);
    if (this.#take("/")) {
      const next = this.#name();
      if (next === "*") return "all";
      if (inner === true) throw invalidSelection(next);
      return new Map([[next, this.#below(next, inner)]]);
    }
    if (!this.#take("(")) return "all";
    if (inner === true) throw invalidSelection(name);
    const mask = this.list(inner);
    if (!this.#take(")")) throw invalidSelection(this.text);
    return mask;
  }

  #name(): string {
    this.#space();
    const [name] = /^(\*|[A-Za-z0-9_.$-]+)/.exec(this.text.slice(this.#at)) ?? [];
    if (name === undefined) throw invalidSelection(this.text);
    this.#at += name.length;
    return name;
  }

  #take(mark: string): boolean {
    this.#space();
    if (this.text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (this.text[this.#at] === " ") this.#at++;
  }
}

function merge(fields: Map<string, FieldMask>, name: string, mask: FieldMask): void {
  const before = fields.get(name);
  if (before === undefined || before === "all" || mask === "all") {
    fields.set(name, before === "all" ? "all" : mask);
    return;
  }
  const both = new Map(before);
  for (const [inner, innerMask] of mask) merge(both, inner, innerMask);
  fields.set(name, both);
}

function invalidSelection(what: string): DriveError {
  return new DriveError(400, "invalidParameter", `Invalid field selection ${what}`, { location: "fields" });
}
