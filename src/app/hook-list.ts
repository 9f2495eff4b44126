import { toSyncError } from "../core/errors.ts";
import type { Hooks } from "../hooks/hooks.ts";
import type { Webhooks } from "../hooks/webhooks/webhooks.ts";

/** What is shown of the history. */
const LISTED_HISTORY = 15;

/** What there is to hear of, who is sent it, and what was heard last. */
export function hookList(hooks: Hooks, webhooks: Webhooks) {
  return {
    ok: true as const,
    hooks: hooks.list(),
    ...listedWebhooks(webhooks),
    plugin_host: { enabled: false, root: null },
    history: hooks.latest(LISTED_HISTORY),
  };
}

/** A file of the studio that cannot be read does not keep anybody from seeing what there is to hear. */
function listedWebhooks(webhooks: Webhooks) {
  try {
    return { webhooks: webhooks.list() };
  } catch (error) {
    const { code, message } = toSyncError(error);
    return { webhooks: [], webhooks_problem: { code, detail: message } };
  }
}
