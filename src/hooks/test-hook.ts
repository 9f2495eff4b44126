import { Check } from "typebox/value";
import { SyncError } from "../core/errors.ts";
import { HOOKS, type HookPayload, type HookName, requireHookName } from "./catalogue.ts";
import type { Hook } from "./hook-of-event.ts";

/** Far above any real payload: what a test sends is kept and sent to every reader. */
const PAYLOAD_CHARS_MAX = 16 * 1024;

/**
 * An event made up to try receivers: `payload` laid over the catalogue's example, with the present time unless it names
 * one. Fields that the catalogue does not know are passed on.
 * @param nowS seconds since the epoch
 * @throws SyncError `schema` for an unknown event, a field of the wrong type, a payload that is too long
 */
export function testHook(event: string, payload: Readonly<Record<string, unknown>>, nowS: number): Hook {
  const name = requireHookName(event);
  const { payload: schema, example } = HOOKS[name];
  const data = { ...example, timestamp: nowS, ...payload };
  if (JSON.stringify(data).length > PAYLOAD_CHARS_MAX) {
    throw new SyncError("schema", `a test's payload is at most ${PAYLOAD_CHARS_MAX} characters of JSON`);
  }
  const wrong = Object.entries(schema.properties).find(([field, type]) => !Check(type, Reflect.get(data, field)));
  if (wrong !== undefined) {
    throw new SyncError("schema", `the payload's ${wrong[0]} does not fit; GET /api/modder/hooks lists the schema`);
  }
  return { name, data: data as HookPayload<HookName> } as Hook;
}
