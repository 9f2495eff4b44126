import type { TSchema } from "typebox";
import { HOOK_NAMES, HOOKS, type HookName, TOPIC_PREFIX } from "./catalogue.ts";

/** An event as `GET /api/modder/hooks` lists it. */
export interface ListedHook {
  readonly name: HookName;
  readonly description: string;
  /** Its name among WebSocket topics; the plain name is understood as well. */
  readonly ws_topic: string;
  readonly rest_event: string;
  /** What each field of the payload says, as the studio lists it. */
  readonly payload: Readonly<Record<string, string>>;
  /** JSON Schema of the payload. */
  readonly schema: object;
  readonly example: Readonly<Record<string, unknown>>;
}

export function listHooks(): readonly ListedHook[] {
  return HOOK_NAMES.map((name) => {
    const { description, payload, example } = HOOKS[name];
    const fields: readonly (readonly [string, TSchema & { readonly description?: string }])[] = Object.entries(
      payload.properties,
    );
    return {
      name,
      description,
      ws_topic: TOPIC_PREFIX + name,
      rest_event: name,
      payload: Object.fromEntries(fields.map(([field, schema]) => [field, schema.description ?? ""])),
      schema: payload,
      example,
    };
  });
}
