import { isJsonObject, type JsonObject } from "../../core/json.ts";

/** A block of a Server-Sent Events stream. */
export interface StreamEvent {
  /** `message` unless the server names another. */
  readonly event: string;
  readonly id: string | undefined;
  /** undefined where the block only gives an id to go on from. */
  readonly data: string | undefined;
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
      const id = fieldsOf(block, "id").at(-1);
      const event = fieldsOf(block, "event").at(-1) ?? "message";
      if (data.length > 0) yield { event, id, data: data.join("\n") };
      else if (id !== undefined) yield { event, id, data: undefined };
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
    const value: unknown = JSON.parse(data ?? "null");
    if (!isJsonObject(value) || typeof value["event"] !== "string" || !isJsonObject(value["data"])) return undefined;
    return { event: value["event"], data: value["data"] };
  } catch {
    return undefined;
  }
}
