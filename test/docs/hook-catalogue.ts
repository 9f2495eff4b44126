import { listHooks } from "../../src/hooks/listing.ts";

/** The part of docs/HOOKS.md that lists every event: what it says, its fields, an envelope. */
export function hookCatalogue(): string {
  const sections = listHooks().map(({ name, description, payload, example }) => {
    const rows = Object.entries(payload).map(([field, meaning]) => [`\`${field}\``, meaning]);
    const envelope = { event: name, ts: example["timestamp"], data: example };
    return [`### \`${name}\``, description, table(["field", "meaning"], rows), jsonBlock(envelope)].join("\n\n");
  });
  return sections.join("\n\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function jsonBlock(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
}
