import { getDocs, getOpenApi } from "../../api/health-operations.ts";
import type { NewHasher } from "../../core/hash.ts";
import { docsPage } from "../openapi/docs-page.ts";
import { DOCS_STYLE } from "../openapi/docs-style.ts";
import { openApiDocument } from "../openapi/document.ts";
import type { Router } from "../router.ts";
import { SECURITY_HEADERS } from "../security/response-headers.ts";

/** `GET /openapi.json` and `GET /docs`, of all that `router` has when they are first asked for. */
export function addDocsRoutes(router: Router, newHasher: NewHasher): void {
  let made: { readonly json: string; readonly page: string } | undefined;
  const documents = () => {
    if (made !== undefined) return made;
    const document = openApiDocument(router.operations);
    made = { json: JSON.stringify(document), page: docsPage(document) };
    return made;
  };
  const policy = `default-src 'none'; style-src 'sha256-${sha256Base64(DOCS_STYLE, newHasher)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  router
    .on(getOpenApi, () => answer(documents().json, { "content-type": "application/json" }))
    .on(getDocs, () =>
      answer(documents().page, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy }),
    );
}

function answer(body: string, headers: Readonly<Record<string, string>>): Response {
  return new Response(body, { headers: { ...SECURITY_HEADERS, ...headers } });
}

function sha256Base64(text: string, newHasher: NewHasher): string {
  const hasher = newHasher();
  hasher.update(new TextEncoder().encode(text));
  const bytes = hasher.digestHex().match(/../g) ?? [];
  return btoa(String.fromCharCode(...bytes.map((byte) => Number.parseInt(byte, 16))));
}
