import { HookHistorySchema, HookListSchema, TestedHookSchema } from "./hook-answer.ts";
import { HookHistoryQuerySchema, HookStreamQuerySchema, TestHookRequestSchema } from "./hook-request.ts";
import { operation } from "./operation.ts";

const ITEM = {
  id: "mi5xk0p40a1b2c3-17",
  event: "on_backup_restored",
  ts: 1763438720.9,
  data: { name: "20251118T040512Z-nightly.zip", restored: 2, skipped: 351, timestamp: 1763438720.9 },
};

export const listHooks = operation({
  id: "listHooks",
  method: "GET",
  path: "/api/modder/hooks",
  tag: "hooks",
  summary: "The events that tools can hear of, with their payloads",
  answer: HookListSchema,
  errors: [],
  examples: {
    answer: {
      ok: true,
      hooks: [
        {
          name: "on_backup_restored",
          description: "Files were restored from a backup archive.",
          ws_topic: "modder.on_backup_restored",
          rest_event: "on_backup_restored",
          payload: { name: "Name of the archive under backups/cloud.", restored: "Files written." },
          schema: { type: "object", properties: { restored: { type: "integer", minimum: 0 } } },
          example: ITEM.data,
        },
      ],
      webhooks: [],
      plugin_host: { enabled: false, root: null },
      history: [ITEM],
    },
  },
});

export const getHookHistory = operation({
  id: "getHookHistory",
  method: "GET",
  path: "/api/modder/hooks/history",
  tag: "hooks",
  summary: "The newest events, oldest first",
  description: "At least the last 1,000 of each event are kept, as far as they fit into 4 MiB, also over a restart.",
  query: HookHistoryQuerySchema,
  answer: HookHistorySchema,
  errors: ["schema"],
  examples: { query: { limit: "25" }, answer: { ok: true, items: [ITEM] } },
});

export const streamHooks = operation({
  id: "streamHooks",
  method: "GET",
  path: "/api/modder/hooks/stream",
  tag: "hooks",
  summary: "Events as they happen, as Server-Sent Events",
  description: `Each has an id and the envelope \`{event, ts, data}\` as its data. With the header Last-Event-ID the stream goes on after
that event; an event named \`gap\` says that some of what followed is no longer kept. \`dropped\` says why the server ends the
stream, e.g. because its reader is too slow.`,
  query: HookStreamQuerySchema,
  other: { status: 200, mediaType: "text/event-stream", description: "A stream that ends when its reader goes away" },
  errors: ["schema", "server_busy"],
  examples: { query: { topics: "on_cloud_sync_plan,on_cloud_sync_complete" } },
});

export const connectHooks = operation({
  id: "connectHooks",
  method: "GET",
  path: "/api/modder/hooks/ws",
  tag: "hooks",
  summary: "Events as they happen, over a WebSocket",
  description: `The first message to send is \`{"topics": ["<event>", …]}\`, or \`{}\` for all events. The answer is
\`{"ok": true, "subscribed": […]}\`, or \`{"ok": false, "error": "…"}\` and the end of the connection. Then each message is one
envelope \`{event, ts, data}\`, and \`{"ping": true}\` when nothing happened for 20 seconds.`,
  other: { status: 101, description: "A WebSocket" },
  errors: ["upgrade_required"],
  examples: {},
});

export const testHook = operation({
  id: "testHook",
  method: "POST",
  path: "/api/modder/hooks/test",
  tag: "hooks",
  summary: "Sends every subscriber an event that did not happen",
  body: TestHookRequestSchema,
  answer: TestedHookSchema,
  errors: [],
  examples: {
    body: { event: "on_backup_restored", payload: { restored: 2 } },
    answer: { ok: true, event: "on_backup_restored", id: ITEM.id },
  },
});
