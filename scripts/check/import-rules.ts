import { readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { parseSync, Visitor } from "oxc-parser";
import { OPEN_TYPES, ROOMS, type Room } from "./rooms.ts";

/** One import as it stands in a file. */
interface Import {
  /** The module as written; undefined where it is not a literal. */
  readonly specifier: string | undefined;
  readonly typeOnly: boolean;
  readonly line: number;
}

/**
 * Every import below `project`/src that the table in rooms.ts does not allow, one line each: `src/core/a.ts:3 imports …`.
 * Sees static, dynamic and re-exporting imports and types by `import("…")`.
 */
export async function findImportFaults(project: string): Promise<string[]> {
  const source = join(project, "src");
  const files = await Array.fromAsync(new Bun.Glob("**/*.ts").scan({ cwd: source }));
  return files.toSorted().flatMap((file) => {
    const room = roomOf(file);
    if (room === undefined) return [`src/${file} lies in no room; give it one in scripts/check/rooms.ts`];
    return importsIn(readFileSync(join(source, file), "utf8"), file).flatMap((found) => {
      const fault = faultOf(found, file, room);
      return fault === undefined ? [] : [`src/${file}:${found.line} ${fault}`];
    });
  });
}

function faultOf({ specifier, typeOnly }: Import, file: string, room: Room): string | undefined {
  if (specifier === undefined) return "imports by a computed name; write the module's name as a literal";
  if (!specifier.startsWith(".")) {
    const allowed = (room.packages ?? []).some((name) => isOfPackage(specifier, name));
    return allowed ? undefined : `imports the package ${specifier}, which src/${room.at} may not`;
  }
  const imported = join(dirname(file), specifier);
  if (imported.startsWith("..")) return `imports ${specifier}, which lies outside src/`;
  if (!imported.endsWith(".ts")) return `imports ${specifier}; a relative import names a file and ends in .ts`;
  if (roomOf(imported) === room || room.imports.some((place) => isIn(imported, place))) return undefined;
  if (imported === OPEN_TYPES && typeOnly) return undefined;
  const allowed = room.imports.length === 0 ? "nothing" : room.imports.join(", ");
  return `imports src/${imported}; src/${room.at} may import ${allowed}`;
}

function roomOf(file: string): Room | undefined {
  return ROOMS.filter((room) => isIn(file, room.at)).toSorted((a, b) => b.at.length - a.at.length)[0];
}

function isIn(file: string, place: string): boolean {
  return place.endsWith("/") ? file.startsWith(place) : file === place;
}

/** `name` is a package, or ends in `*` and stands for all that begin like it. */
function isOfPackage(specifier: string, name: string): boolean {
  if (name.endsWith("*")) return specifier.startsWith(name.slice(0, -1));
  return specifier === name || specifier.startsWith(`${name}/`);
}

function importsIn(text: string, file: string): Import[] {
  const imports: Import[] = [];
  const add = (start: number, specifier: string | undefined, typeOnly: boolean) => {
    imports.push({ specifier, typeOnly, line: text.slice(0, start).split("\n").length });
  };
  const { program, errors } = parseSync(file, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`src/${file} cannot be parsed: ${error.message}`);
  new Visitor({
    ImportDeclaration: (node) => {
      const kinds = node.specifiers.map((each) => (each.type === "ImportSpecifier" ? each.importKind : "value"));
      add(node.start, node.source.value, node.importKind === "type" || areTypes(kinds));
    },
    ExportNamedDeclaration: (node) => {
      const kinds = node.specifiers.map((each) => each.exportKind);
      if (node.source !== null) add(node.start, node.source.value, node.exportKind === "type" || areTypes(kinds));
    },
    ExportAllDeclaration: (node) => add(node.start, node.source.value, node.exportKind === "type"),
    ImportExpression: (node) => {
      const name = node.source.type === "Literal" ? node.source.value : undefined;
      add(node.start, typeof name === "string" ? name : undefined, false);
    },
    TSImportType: (node) => add(node.start, node.source.value, true),
  }).visit(program);
  return imports;
}

/** An import of no names runs the module, so it is not one of types. */
function areTypes(kinds: readonly (string | undefined)[]): boolean {
  return kinds.length > 0 && kinds.every((kind) => kind === "type");
}
