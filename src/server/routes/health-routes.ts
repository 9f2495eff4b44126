import { getHealth } from "../../api/health-operations.ts";
import type { App } from "../../app.ts";
import { VERSION } from "../../core/version.ts";
import type { Router } from "../router.ts";
import { type WorkspaceState, WorkspaceWatch } from "../workspace-state.ts";

/** `GET /api/health`: that the server answers, and what it would let through. */
export function addHealthRoute(router: Router, app: App): void {
  const startedAtMs = Date.now();
  const workspace = new WorkspaceWatch(app);
  const health = (state: WorkspaceState) => ({
    status: "ok" as const,
    version: VERSION,
    uptime_s: Math.floor((Date.now() - startedAtMs) / 1000),
    ...state,
  });
  router.on(getHealth, () => {
    const state = workspace.state();
    return state instanceof Promise ? state.then(health) : health(state);
  });
}
