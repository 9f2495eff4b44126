import { invalidParameter } from "./drive-error.ts";

/** The `q` of files.list, read. */
export type Query =
  | { readonly kind: "and" | "or"; readonly left: Query; readonly right: Query }
  | { readonly kind: "not"; readonly query: Query }
  | { readonly kind: "compare"; readonly term: string; readonly operator: string; readonly value: string }
  | { readonly kind: "in"; readonly term: string; readonly value: string }
  | { readonly kind: "has"; readonly term: string; readonly key: string; readonly value: string };

type Token = { readonly kind: "word" | "string" | "mark"; readonly text: string };

const DATES = ["<=", "<", "=", "!=", ">", ">="];
/** Terms that compare with a string, and the operators of each. */
const STRING_TERMS: Readonly<Record<string, readonly string[]>> = {
  name: ["contains", "=", "!="],
  mimeType: ["contains", "=", "!="],
  modifiedTime: DATES,
  createdTime: DATES,
};
const BOOLEAN_TERMS = ["trashed"];
const COLLECTIONS = ["parents"];
const PROPERTY_TERMS = ["properties", "appProperties"];

/**
 * Reads a query by the grammar of "Search query terms and operators". Terms of that page which a mirror has no use for
 * (fullText, owners, starred …) are refused like those that do not exist.
 * @throws DriveError 400 Invalid Value
 */
export function parseQuery(text: string): Query {
  const parser = new QueryParser(tokenize(text));
  return parser.whole();
}

/** Strings stand in single quotes; a backslash stands before a quote or a backslash, and before nothing else. */
function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s+|'((?:[^'\\]|\\['\\])*)'|([A-Za-z][A-Za-z.]*)|(<=|>=|!=|[=<>(){}])/gy;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) throw invalidParameter("q");
    const [, quoted, word, mark] = match;
    if (quoted !== undefined) tokens.push({ kind: "string", text: quoted.replaceAll(/\\(['\\])/g, "$1") });
    if (word !== undefined) tokens.push({ kind: "word", text: word });
    if (mark !== undefined) tokens.push({ kind: "mark", text: mark });
  }
  return tokens;
}

class QueryParser {
  #at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  whole(): Query {
    const query = this.#chain();
    if (this.#at < this.tokens.length) throw invalidParameter("q");
    return query;
  }

  /** `and` and `or` bind alike and are read from left to right. */
  #chain(): Query {
    let left = this.#negated();
    for (;;) {
      const kind = this.#takeWord("and") ? "and" : this.#takeWord("or") ? "or" : undefined;
      if (kind === undefined) return left;
      left = { kind, left, right: this.#negated() };
    }
  }

  #negated(): Query {
    if (this.#takeWord("not")) return { kind: "not", query: this.#negated() };
    if (!this.#takeMark("(")) return this.#term();
    const query = this.#chain();
    this.#expectMark(")");
    return query;
  }

  #term(): Query {
    const first = this.#next();
    if (first.kind === "string") {
      if (!this.#takeWord("in")) throw invalidParameter("q");
      return { kind: "in", value: first.text, term: this.#oneOf(COLLECTIONS) };
    }
    if (PROPERTY_TERMS.includes(first.text)) return this.#has(first.text);
    const operator = this.#next().text;
    if (BOOLEAN_TERMS.includes(first.text)) {
      if (operator !== "=" && operator !== "!=") throw invalidParameter("q");
      return { kind: "compare", term: first.text, operator, value: this.#oneOf(["true", "false"]) };
    }
    if (STRING_TERMS[first.text]?.includes(operator) !== true) throw invalidParameter("q");
    return { kind: "compare", term: first.text, operator, value: this.#string() };
  }

  /** `has { key='…' and value='…' }` */
  #has(term: string): Query {
    if (!this.#takeWord("has")) throw invalidParameter("q");
    this.#expectMark("{");
    this.#oneOf(["key"]);
    this.#expectMark("=");
    const key = this.#string();
    this.#oneOf(["and"]);
    this.#oneOf(["value"]);
    this.#expectMark("=");
    const value = this.#string();
    this.#expectMark("}");
    return { kind: "has", term, key, value };
  }

  #next(): Token {
    const token = this.tokens[this.#at++];
    if (token === undefined) throw invalidParameter("q");
    return token;
  }

  #string(): string {
    const token = this.#next();
    if (token.kind !== "string") throw invalidParameter("q");
    return token.text;
  }

  #oneOf(words: readonly string[]): string {
    const token = this.#next();
    if (token.kind !== "word" || !words.includes(token.text)) throw invalidParameter("q");
    return token.text;
  }

  #takeWord(word: string): boolean {
    return this.#take("word", word);
  }

  #takeMark(mark: string): boolean {
    return this.#take("mark", mark);
  }

  #expectMark(mark: string): void {
    if (!this.#takeMark(mark)) throw invalidParameter("q");
  }

  #take(kind: Token["kind"], text: string): boolean {
    const token = this.tokens[this.#at];
    if (token?.kind !== kind || token.text !== text) return false;
    this.#at++;
    return true;
  }
}
