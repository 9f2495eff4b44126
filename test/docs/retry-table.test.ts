import { expect, test } from "bun:test";
import { join } from "node:path";
import { RETRY_TABLE } from "../../src/providers/retry-table.ts";

test("the document's table of what is repeated is the one that the program goes by", async () => {
  const text = await Bun.file(join(import.meta.dir, "../../docs/TRANSFERS.md")).text();
  const section = text.split("## What is repeated")[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const told = rows.map((row) => {
    const [code = "", retry = "", why = ""] = row
      .split("|")
      .slice(1)
      .map((cell) => cell.trim());
    return { code: code.replaceAll("`", ""), retry: retry.replace(" ", "_"), why };
  });
  expect(told).toEqual(RETRY_TABLE.map(({ code, retry, why }) => ({ code, retry, why })));
});
