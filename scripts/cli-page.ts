/**
 * `bun run docs:cli`: writes the help texts of all commands and the captures of a terminal into docs/CLI.md. With
 * `--help-only` the captures stay, for a machine without tmux. test/docs/cli-page.test.ts compares the page with the program.
 */
import { join } from "node:path";
import { captures } from "./cli-page/captures.ts";
import { helpTexts } from "./cli-page/help-texts.ts";
import { helpChapter, withTexts } from "./cli-page/page.ts";

const PAGE = join(import.meta.dir, "../docs/CLI.md");
const CHAPTER = "<!-- every command, from here on written by bun run docs:cli -->\n";

const page = await Bun.file(PAGE).text();
const taken = process.argv.includes("--help-only") ? new Map<string, string>() : await captures();
const top = page.slice(0, page.indexOf(CHAPTER) + CHAPTER.length);
if (!page.includes(CHAPTER)) throw new Error(`docs/CLI.md has lost its mark: ${CHAPTER}`);
const captured = withTexts(top, (kind, name) => (kind === "capture" ? taken.get(name) : undefined));
await Bun.write(PAGE, `${captured}\n${helpChapter(helpTexts())}`);
