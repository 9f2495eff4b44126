import { Elysia } from "elysia";
import type { App } from "../../app.ts";
import { toSyncError } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";

/** The flags, or why they cannot be told: a damaged config file does not make the server ill. */
async function flagsOf(app: App): Promise<object> {
  try {
    return { features: (await app.settings()).features };
  } catch (error) {
    const { code, message } = toSyncError(error);
    return { features: null, config: { code, detail: message } };
  }
}

/** `GET /api/health`: that the server answers, and what it would let through. Never contents of the vault. */
export function healthRoutes(app: App) {
  const startedAtMs = Date.now();
  return new Elysia().get("/api/health", async () => {
    return {
      status: "ok",
      version: VERSION,
      uptime_s: Math.round((Date.now() - startedAtMs) / 1000),
      ...(await flagsOf(app)),
      vault: { present: await app.hasVault(), passphrase: app.hasPassphrase() },
    };
  });
}
