import type { Operation } from "../../api/operation.ts";
import { type NewHasher, sha256Hex } from "../../core/hash.ts";
import { SECURITY_HEADERS } from "../security/response-headers.ts";
import { docsPage } from "./docs-page.ts";
import { DOCS_STYLE } from "./docs-style.ts";
import { openApiDocument } from "./document.ts";

/** The API's description, for programs and for people. */
export interface DescribingAnswers {
  readonly openApi: () => Response;
  readonly docs: () => Response;
}

/** @param operations asked for at the first answer, when all are known */
export function describingAnswers(operations: () => readonly Operation[], newHasher: NewHasher): DescribingAnswers {
  let made: { readonly json: string; readonly page: string } | undefined;
  const documents = () => {
    if (made !== undefined) return made;
    const document = openApiDocument(operations());
    made = { json: JSON.stringify(document), page: docsPage(document) };
    return made;
  };
  let policy: string | undefined;
  return {
    openApi: () => answer(documents().json, { "content-type": "application/json" }),
    docs: () => {
      policy ??= `default-src 'none'; style-src 'sha256-${sha256Base64(DOCS_STYLE, newHasher)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
      return answer(documents().page, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
      });
    },
  };
}

function answer(body: string, headers: Readonly<Record<string, string>>): Response {
  return new Response(body, { headers: { ...SECURITY_HEADERS, ...headers } });
}

function sha256Base64(text: string, newHasher: NewHasher): string {
  const bytes = sha256Hex(newHasher, new TextEncoder().encode(text)).match(/../g) ?? [];
  return btoa(String.fromCharCode(...bytes.map((byte) => Number.parseInt(byte, 16))));
}
