import { isJsonObject, type JsonObject } from "../../core/json.ts";

/** An event of a Server-Sent Events stream. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly data: string;
}

/** Reads text/event-stream: blocks of `field: value` lines, a blank line after each. Comments and unknown fields are passed over. */
export async function* readEventStream(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = fieldsOf(block, "data");
      if (data.length > 0) yield { id: fieldsOf(block, "id").at(-1), data: data.join("\n") };
    }
  }
}

function fieldsOf(block: string, name: string): string[] {
  const lines = block.split("\n").filter((line) => line === name || line.startsWith(`${name}:`));
  return lines.map((line) => line.slice(name.length + 1).replace(/^ /, ""));
}

/** The hook envelope in an event: `{event, ts, data}`; undefined for anything else. */
export function hookOf({ data }: StreamEvent): { readonly event: string; readonly data: JsonObject } | undefined {
  try {
    const value: unknown = JSON.parse(data);
    if (!isJsonObject(value) || typeof value["event"] !== "string" || !isJsonObject(value["data"])) return undefined;
    return { event: value["event"], data: value["data"] };
  } catch {
    return undefined;
  }
}
