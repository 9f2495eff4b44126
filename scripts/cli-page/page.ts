/** What a mark of the page stands for: `<!-- help: vault set -->`, `<!-- capture: plan -->`. */
export type MarkKind = "help" | "capture";

export interface Mark {
  readonly kind: MarkKind;
  readonly name: string;
  /** The fenced text below it. */
  readonly text: string;
}

const BLOCK = /<!-- (help|capture): (.*?) -->\n\n```text\n([\s\S]*?)\n```/g;

/** The marks of the page with the text that stands below each. */
export function marksOf(page: string): Mark[] {
  return Array.from(page.matchAll(BLOCK), ([, kind, name = "", text = ""]) => ({ kind: kind as MarkKind, name, text }));
}

/** The page with the text below each mark replaced by what `textOf` gives; undefined leaves it as it is. */
export function withTexts(page: string, textOf: (kind: MarkKind, name: string) => string | undefined): string {
  return page.replace(BLOCK, (block, kind: MarkKind, name: string) => {
    const text = textOf(kind, name);
    return text === undefined ? block : `<!-- ${kind}: ${name} -->\n\n\`\`\`text\n${text}\n\`\`\``;
  });
}

/** The part of the page with every command's help, made anew from `texts`. */
export function helpChapter(texts: ReadonlyMap<string, string>): string {
  const parts = Array.from(texts, ([name, text]) => {
    const title = `comfyvn-sync ${name}`.trimEnd();
    return `### ${title}\n\n<!-- help: ${name === "" ? "(none)" : name} -->\n\n\`\`\`text\n${text}\n\`\`\`\n`;
  });
  return parts.join("\n");
}
