import type { Answer, Content, OpenApiDocument, Parameter, PathOperation } from "./document.ts";
import { DOCS_STYLE } from "./docs-style.ts";
import { Html, html, inline, prose } from "./html.ts";
import { type SchemaLine, schemaLines } from "./schema-lines.ts";

interface Named {
  readonly method: string;
  readonly path: string;
  readonly operation: PathOperation;
}

/** The document as a page for people: no script, nothing loaded, readable without a style. */
export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const { title, version, description } = document.info;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} ${version}: API</title>
<style>${new Html(DOCS_STYLE)}</style>
</head>
<body>
<header>
<h1>${title} <small>${version}</small></h1>
${prose(description)}
<p>For tools: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
</header>
<nav><ul>${operations.map(link)}</ul></nav>
<main>${document.tags.map((tag) => section(document, tag, operations))}</main>
</body>
</html>
`.source;
}

function link({ method, path, operation }: Named): Html {
  return html`<li><a href="#${operation.operationId}"><b>${method}</b> ${path}</a></li>`;
}

function section(document: OpenApiDocument, tag: OpenApiDocument["tags"][number], all: readonly Named[]): Html {
  const own = all.filter(({ operation }) => operation.tags.includes(tag.name));
  return html`<section><h2>${tag.name}</h2>${prose(tag.description)}${own.map((each) => article(document, each))}</section>`;
}

function article(document: OpenApiDocument, { method, path, operation }: Named): Html {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  return html`<article id="${operationId}">
<h3><b>${method}</b> <code>${path}</code></h3>
<p>${inline(summary)}</p>
${description === undefined ? html`` : prose(description)}
${parameters === undefined ? html`` : html`<h4>Query</h4>${table(parameters.map(parameterLine))}`}
${requestBody === undefined ? html`` : html`<h4>Body</h4>${content(document, requestBody.content)}`}
<h4>Sample</h4>
<pre>${sample(method, path, operation)}</pre>
${Object.entries(responses).map(([status, answer]) => response(document, status, answer))}
</article>`;
}

function parameterLine({ name, required, description, schema }: Parameter): SchemaLine {
  const [line] = schemaLines({ properties: { [name]: schema } });
  return { name, type: line?.type ?? "text", required, description: description ?? "" };
}

function response(document: OpenApiDocument, status: string, answer: Answer): Html {
  const ok = Number(status) < 400;
  if (!ok) return html`<p class="problem"><b>${status}</b> ${inline(answer.description)}</p>`;
  const shown = answer.content === undefined ? html`` : content(document, answer.content);
  return html`<h4>Answer ${status}</h4>${prose(answer.description)}${shown}<h4>Failures</h4>`;
}

/** Each media type's members, and its example. */
function content(document: OpenApiDocument, types: Content): Html {
  const shown = Object.entries(types).map(([type, { schema, example }]) => {
    const lines = schemaLines(resolved(document, schema));
    return html`<p><code>${type}</code></p>
${lines.length === 0 ? html`` : table(lines)}
${example === undefined ? html`` : html`<details><summary>Example</summary><pre>${JSON.stringify(example, null, 2)}</pre></details>`}`;
  });
  return html`${shown}`;
}

function table(lines: readonly SchemaLine[]): Html {
  const rows = lines.map(
    ({ name, type, required, description }) =>
      html`<tr><td><code>${name}</code>${required ? html`` : html` <i>optional</i>`}</td><td>${type}</td><td>${inline(description)}</td></tr>`,
  );
  return html`<table><thead><tr><th>name</th><th>is</th><th></th></tr></thead><tbody>${rows}</tbody></table>`;
}

/** A call to copy. */
function sample(method: string, path: string, { parameters, requestBody }: PathOperation): string {
  const query = (parameters ?? []).flatMap(({ name, example }) =>
    example === undefined ? [] : [`${name}=${encodeURIComponent(example)}`],
  );
  const url = `"$BASE_URL${path}${query.length === 0 ? "" : `?${query.join("&")}`}"`;
  const example = requestBody?.content["application/json"]?.example;
  if (example === undefined) return `curl ${method === "GET" ? "" : `-X ${method} `}${url}`;
  return `curl -X ${method} ${url} \\\n  -H 'Content-Type: application/json' \\\n  -d '${JSON.stringify(example)}'`;
}

function resolved(document: OpenApiDocument, schema: unknown): unknown {
  const reference: unknown = typeof schema === "object" && schema !== null ? Reflect.get(schema, "$ref") : undefined;
  return typeof reference === "string" ? document.components.schemas[reference.split("/").at(-1) ?? ""] : schema;
}
