import { Elysia } from "elysia";
import type { App } from "../../app.ts";
import { VERSION } from "../../core/version.ts";

/** `GET /api/health`: that the server answers, and what it would let through. Never contents of the vault. */
export function healthRoutes(app: App) {
  const startedAtMs = Date.now();
  return new Elysia().get("/api/health", async () => {
    const settings = await app.settings();
    return {
      status: "ok",
      version: VERSION,
      uptime_s: Math.round((Date.now() - startedAtMs) / 1000),
      features: settings.features,
      vault: { present: await app.hasVault(), passphrase: app.hasPassphrase() },
    };
  });
}
