import { connectHooks, getHookHistory, listHooks, streamHooks, testHook } from "../../api/hook-operations.ts";
import type { App } from "../../app.ts";
import { SyncError } from "../../core/errors.ts";
import type { Router } from "../router.ts";
import { SECURITY_HEADERS } from "../security/response-headers.ts";
import { listOf } from "../text-list.ts";

const HISTORY_LIMIT_DEFAULT = 25;

/** `/api/modder/hooks*`, behind no flag. */
export function addHookRoutes(router: Router, app: App): void {
  const { hooks } = app;
  router
    .on(listHooks, () => app.hookList())
    .on(getHookHistory, ({ query }) => ({
      ok: true as const,
      items: hooks.latest(Number(query.limit ?? HISTORY_LIMIT_DEFAULT)),
    }))
    .on(streamHooks, ({ query, request }) => {
      // A proxy that gathers answers would hold events back.
      const headers = { ...SECURITY_HEADERS, "content-type": "text/event-stream", "x-accel-buffering": "no" };
      // Who asks for the headers alone is no reader: the router would read the stream to its end to know its length.
      if (request.method === "HEAD") return new Response(null, { headers });
      const lastEventId = request.headers.get("last-event-id") ?? query.last_event_id ?? "";
      const stream = hooks.stream(listOf(query.topics) ?? [], lastEventId === "" ? undefined : lastEventId);
      return new Response(stream, { headers });
    })
    .on(testHook, ({ body }) => ({ ok: true as const, ...hooks.test(body.event, body.payload ?? {}) }))
    // A handshake does not come this far: server.ts makes a WebSocket of it.
    .on(connectHooks, () => {
      throw new SyncError(
        "upgrade_required",
        "this address speaks WebSocket; GET /api/modder/hooks/stream gives the same events over plain HTTP",
      );
    });
}
