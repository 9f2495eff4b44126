import { expect, test } from "bun:test";
import { commandBlocks } from "./command-blocks.ts";

const FENCE = "```";

function block(mark: string, language = "sh", body = "true"): string {
  return `${mark}\n${FENCE}${language}\n${body}\n${FENCE}\n`;
}

test("a block without a mark is refused, with its line", () => {
  expect(() => commandBlocks(`# Title\n\n${block("Start it:")}`)).toThrow("line 4: a block of commands needs");
});

test("a mark further up does not count for a block after other text", () => {
  expect(() => commandBlocks(`<!-- run -->\n${block("Start it:")}`)).toThrow("needs");
});

for (const language of ["bash", "shell", "console", "zsh"]) {
  test(`${language} is no way around the test`, () => {
    expect(() => commandBlocks(block("<!-- run -->", language))).toThrow(`fenced as sh, not ${language}`);
  });
}

test("not run needs a reason", () => {
  expect(() => commandBlocks(block("<!-- not run -->"))).toThrow("say why");
  expect(commandBlocks(block("<!-- not run: needs an account -->"))).toMatchObject([{ kind: "not run" }]);
});

test("a mark with a slip in it is refused, not taken for none", () => {
  expect(() => commandBlocks(block("<!-- rum -->"))).toThrow("needs");
});

test("a block that is never closed is refused", () => {
  expect(() => commandBlocks(`<!-- run -->\n${FENCE}sh\ntrue\n`)).toThrow("never closed");
});

test("name and exit status come from the mark", () => {
  const [named, status, both] = commandBlocks(
    block("<!-- run: first -->") + block("<!-- run: exit 2 -->", "sh", "false") + block("<!-- run: third, exit 3 -->"),
  );
  expect(named).toMatchObject({ kind: "run", name: "first", status: 0, script: "true", line: 2 });
  expect(status).toMatchObject({ name: "false", status: 2 });
  expect(both).toMatchObject({ name: "third", status: 3 });
});

test("a server block is one", () => {
  expect(commandBlocks(block("<!-- server -->"))).toMatchObject([{ kind: "server" }]);
});

test("json or text right after a block is its output; after other words it is not", () => {
  const shown = block("<!-- run -->") + block("", "json", '{"a": 1}');
  expect(commandBlocks(shown)).toMatchObject([{ output: { language: "json", text: '{"a": 1}' } }]);
  const told = block("<!-- run -->") + block("A file may look like this:", "json", '{"a": 1}');
  expect(commandBlocks(told)).toMatchObject([{ output: undefined }]);
});

test("marked as output it is one after other words too, for the block before it only", () => {
  const shown =
    block("<!-- run -->") + "This prints\n\n" + block("<!-- output -->", "text", "a") + block("", "text", "b");
  expect(commandBlocks(shown)).toMatchObject([{ output: { language: "text", text: "a" } }]);
});

test("a block in a list keeps its commands without the indent", () => {
  const text = `1. First\n\n   <!-- run -->\n   ${FENCE}sh\n   if true\n   then\n     true\n   fi\n   ${FENCE}\n`;
  expect(commandBlocks(text)).toMatchObject([{ script: "if true\nthen\n  true\nfi" }]);
});
