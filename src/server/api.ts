import type { App } from "../app.ts";
import { Router } from "./router.ts";
import { addBackupRoutes } from "./routes/backup-routes.ts";
import { addDocsRoutes } from "./routes/docs-routes.ts";
import { addHealthRoute } from "./routes/health-routes.ts";
import { addHookRoutes } from "./routes/hook-routes.ts";
import { addSyncRoutes } from "./routes/sync-routes.ts";
import { addWebhookRoutes } from "./routes/webhook-routes.ts";
import { WorkSlots } from "./security/work-slots.ts";

/**
 * Every route of the API.
 * @param stopping fires when the server stops
 * @param failed answers what a handler threw
 */
export function createApi(app: App, stopping: AbortSignal, failed: (thrown: unknown) => Response): Router {
  const router = new Router(stopping, failed);
  const slots = new WorkSlots();
  addHealthRoute(router, app);
  addSyncRoutes(router, app, slots);
  addBackupRoutes(router, app, slots);
  addHookRoutes(router, app);
  addWebhookRoutes(router, app);
  addDocsRoutes(router, app.platform.newHasher);
  return router;
}
