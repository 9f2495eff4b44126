/** HTML that is ready; everything else is text and gets escaped. */
export class Html {
  constructor(readonly source: string) {}
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

type Part = Html | string | number | readonly Html[];

/** Tag of template literals: values are escaped unless they are Html. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let source = texts[0] ?? "";
  for (const [i, part] of parts.entries()) source += sourceOf(part) + (texts[i + 1] ?? "");
  return new Html(source);
}

/** Text of a description: `code` between backticks, paragraphs between blank lines. */
export function prose(text: string): Html {
  const paragraphs = text.split(/\n\s*\n/).map((paragraph) => html`<p>${inline(paragraph)}</p>`);
  return html`${paragraphs}`;
}

/** The same within a line. */
export function inline(text: string): Html {
  const parts = text.split("`").map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
  return html`${parts}`;
}

function sourceOf(part: Part): string {
  if (part instanceof Html) return part.source;
  if (typeof part === "object") return part.map(({ source }) => source).join("");
  return String(part).replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}
