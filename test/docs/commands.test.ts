/**
 * Runs the commands that README.md and docs/*.md show, so that no document promises what does not work.
 *
 * Every ```sh block has a mark on the line before it (blank lines may stand between):
 *
 *   <!-- run -->                     runs to its end and must end with status 0
 *   <!-- run: NAME -->               the same, with a name for the test's title
 *   <!-- run: exit 2 -->             must end with that status; also <!-- run: NAME, exit 2 -->
 *   <!-- server -->                  is left running once it has printed `listening on URL`; later blocks have $BASE_URL
 *   <!-- not run: REASON -->         is not run, for a reason that the document's source tells
 *
 * A block without a mark, or fenced as bash, console or the like, fails the test.
 *
 * A ```json or ```text block right after a run block (or marked <!-- output -->, when words stand between) is the stdout it must
 * have. In both, `…` stands for anything: part of a string or line; a whole value "…"; further members
 * as `"…": "…"`; further elements as a last "…"; as a line by itself any number of lines. All else must be equal.
 *
 * Blocks of one document run in order in one bash (-euo pipefail) session: exported variables and the folder last from
 * block to block. The folder is a checkout of its own, which is the workspace too, so commands can be shown as they are
 * typed after `git clone`. `bun`, `npx -y bun@VERSION` (only the pinned one) and `comfyvn-sync` are there; the server
 * takes a free port. A block that uses $BASE_URL before any server block gets `bun run serve`, started with what
 * the blocks before it exported.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { tempFolder } from "../support/temp-folder.ts";
import { type CommandBlock, commandBlocks } from "./command-blocks.ts";
import { DocSession } from "./doc-session.ts";
import { outputFault } from "./expected-output.ts";

const REPOSITORY = resolve(import.meta.dir, "../..");
const TIMEOUT_MS = 180_000;

function documents(): string[] {
  const docs = join(REPOSITORY, "docs");
  const names = existsSync(docs) ? readdirSync(docs).filter((name) => name.endsWith(".md")) : [];
  return ["README.md", ...names.toSorted().map((name) => join("docs", name))].filter((name) =>
    existsSync(join(REPOSITORY, name)),
  );
}

async function runBlock(session: DocSession, { kind, script, status, output }: CommandBlock): Promise<void> {
  if (kind === "server") return session.startServer(script);
  const result = await session.run(script);
  if (result.status !== status) {
    throw new Error(`ended with status ${result.status}, not ${status}\n${script}\n${result.stdout}${result.stderr}`);
  }
  const fault = output === undefined ? undefined : outputFault(output, result.stdout);
  if (fault !== undefined) throw new Error(`${fault}\n${script}\n${result.stdout}${result.stderr}`);
}

for (const document of documents()) {
  describe(document, () => {
    const blocks = commandBlocks(readFileSync(join(REPOSITORY, document), "utf8")).filter(
      ({ kind }) => kind !== "not run",
    );
    if (blocks.length === 0) return;
    const session = new DocSession(tempFolder());
    afterAll(() => session.stop());
    for (const block of blocks) {
      test(`line ${block.line}: ${block.name}`, () => runBlock(session, block), TIMEOUT_MS);
    }
  });
}

test("README.md shows a start that is run here", () => {
  const kinds = commandBlocks(readFileSync(join(REPOSITORY, "README.md"), "utf8")).map(({ kind }) => kind);
  expect(kinds).toContain("server");
  expect(kinds).toContain("run");
});
