import { afterAll } from "bun:test";
import type { AppOptions } from "../../src/app.ts";
import type { RunningServer } from "../../src/platform/contract.ts";
import { startServer } from "../../src/server/server.ts";
import type { Workspace } from "./workspace.ts";

export interface ApiAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly type: string;
}

export interface Api {
  readonly base: string;
  get(path: string, headers?: Record<string, string>): Promise<ApiAnswer>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<ApiAnswer>;
}

export interface ApiServer extends Api {
  readonly server: RunningServer;
}

/** The real server over the workspace on a free port; stopped when the test file ends. */
export async function serveWorkspace(
  workspace: Pick<Workspace, "app">,
  options: Partial<AppOptions> = {},
): Promise<ApiServer> {
  const app = await workspace.app(options);
  const server = await startServer(app, { host: "127.0.0.1", port: 0, token: undefined });
  afterAll(async () => {
    await server.stop(0);
    app.close();
  });
  return { ...apiAt(`http://127.0.0.1:${server.port}`), server };
}

/** The API of a server that answers at `base`. */
export function apiAt(base: string): Api {
  const answer = async (response: Response): Promise<ApiAnswer> => {
    const text = await response.text();
    return {
      status: response.status,
      body: JSON.parse(text) as Record<string, unknown>,
      text,
      type: response.headers.get("content-type") ?? "",
    };
  };
  return {
    base,
    get: async (path, headers = {}) => await answer(await fetch(base + path, { headers })),
    post: async (path, body, headers = {}) =>
      await answer(
        await fetch(base + path, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body: typeof body === "string" ? body : JSON.stringify(body),
        }),
      ),
  };
}
