import { afterAll, describe, expect, test } from "bun:test";
import { ApiToken } from "../../../src/server/security/api-token.ts";
import { newPortableHasher } from "../../../src/core/hash.ts";
import { startServer } from "../../../src/server/server.ts";
import { codeOf, createWorkspace } from "../../support/workspace.ts";
import { rawHttp } from "../../support/raw-http.ts";

const TOKEN = "right-token-0123456789abcdef";

function tokenAt(clock: { ms: number }): ApiToken {
  const never = () => Promise.reject(new Error("nothing here waits"));
  return new ApiToken(TOKEN, newPortableHasher, { now: () => clock.ms, sleep: never });
}

const request = (authorization?: string) =>
  new Request("http://127.0.0.1:8001/api/health", authorization === undefined ? {} : { headers: { authorization } });

/** The code that a request with `authorization` is refused with; undefined when it passes. */
async function refusal(token: ApiToken, authorization?: string): Promise<string | undefined> {
  const code = await codeOf((async () => token.check(request(authorization)))());
  return code === "no error" ? undefined : code;
}

async function serveWithToken(host = "127.0.0.1") {
  const app = await (await createWorkspace({ "assets/a": "A" })).app();
  const server = await startServer(app, { host, port: 0, token: TOKEN });
  afterAll(async () => {
    await server.stop(0);
    app.close();
  });
  return server;
}

describe("the token", () => {
  test.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer x, Bearer ${TOKEN}`,
  ])("%s is refused", async (authorization) => {
    expect(await refusal(tokenAt({ ms: 0 }), authorization)).toBe("unauthorized");
  });

  test.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `Bearer   ${TOKEN} `])("'%s' passes", async (authorization) => {
    expect(await refusal(tokenAt({ ms: 0 }), authorization)).toBeUndefined();
  });

  test("who sends no token is told that one is needed, however often", async () => {
    const token = tokenAt({ ms: 0 });
    for (let i = 0; i < 1_000; i++) expect(await refusal(token)).toBe("unauthorized");
    expect(await refusal(token, "Bearer wrong")).toBe("unauthorized");
  });

  test("after a hundred wrong ones others are told to wait, and the right one passes all the while", async () => {
    const clock = { ms: 1_000_000 };
    const token = tokenAt(clock);
    for (let i = 0; i < 100; i++) expect(await refusal(token, "Bearer wrong")).toBe("unauthorized");
    for (let i = 0; i < 100; i++) {
      expect(await refusal(token, "Bearer wrong")).toBe("too_many_attempts");
      expect(await refusal(token, `Bearer ${TOKEN}`)).toBeUndefined();
    }
    clock.ms += 6_000;
    expect(await refusal(token, "Bearer wrong")).toBe("unauthorized");
    expect(await refusal(token, "Bearer wrong")).toBe("too_many_attempts");
    clock.ms += 3_600_000;
    expect(await refusal(token, "Bearer wrong")).toBe("unauthorized");
  });

  test("a clock that is set back locks nobody out for its own time", async () => {
    const clock = { ms: 1_000_000_000 };
    const token = tokenAt(clock);
    for (let i = 0; i < 200; i++) await refusal(token, "Bearer wrong");
    clock.ms = 0;
    expect(await refusal(token, "Bearer wrong")).toBe("too_many_attempts");
    clock.ms = 6_001;
    expect(await refusal(token, "Bearer wrong")).toBe("unauthorized");
  });
});

describe("a server with a token", () => {
  test("answers every route, stream and upgrade 401 without it, and 429 with Retry-After after many wrong ones", async () => {
    const { port } = await serveWithToken();
    const head = `host: 127.0.0.1:${port}\r\n`;
    const upgrade = `${head}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n`;
    const first = [
      `GET /api/health HTTP/1.1\r\n${head}\r\n`,
      `GET /api/nothing HTTP/1.1\r\n${head}\r\n`,
      `GET /openapi.json HTTP/1.1\r\n${head}\r\n`,
      `GET /docs HTTP/1.1\r\n${head}\r\n`,
      `GET /api/modder/hooks/stream HTTP/1.1\r\n${head}accept: text/event-stream\r\n\r\n`,
      `GET /api/modder/hooks/ws HTTP/1.1\r\n${upgrade}\r\n`,
      `POST /api/sync/run HTTP/1.1\r\n${head}content-length: 2\r\n\r\n{}`,
    ];
    for (const text of first) {
      const answer = await rawHttp(port, text, 100);
      expect(answer.split("\r\n")[0]).toBe("HTTP/1.1 401 Unauthorized");
      expect(answer.toLowerCase()).toContain("www-authenticate: bearer");
    }
    let last = new Response();
    const wrong = { headers: { authorization: "Bearer wrong" } };
    for (let i = 0; i < 101; i++) last = await fetch(`http://127.0.0.1:${port}/api/health`, wrong);
    expect(last.status).toBe(429);
    expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await last.json()).toMatchObject({ code: "too_many_attempts" });
    const right = await fetch(`http://127.0.0.1:${port}/api/health`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(right.status).toBe(200);
  });

  test("on all addresses answers to any of them by number, and to no name that is not its own", async () => {
    const { port } = await serveWithToken("0.0.0.0");
    const status = async (host: string) => {
      const text = `GET /api/health HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`;
      return /^HTTP\/1\.1 (\d+)/.exec(await rawHttp(port, text, 100))?.[1];
    };
    for (const host of [`127.0.0.1:${port}`, `192.0.2.7:${port}`, `[2001:db8::7]:${port}`, `localhost:${port}`]) {
      expect([host, await status(host)]).toEqual([host, "200"]);
    }
    for (const host of [`evil.example:${port}`, "192.0.2.7", `1.2.3.4.evil.example:${port}`, `192.0.2.7:${port + 1}`]) {
      expect([host, await status(host)]).toEqual([host, "403"]);
    }
  });

  test.each(["with space", "tab\there", "umlaut-ä", "\u0000"])(
    "is refused with a token that no header carries (%j)",
    async (token) => {
      const app = await (await createWorkspace()).app();
      expect(await codeOf(startServer(app, { host: "127.0.0.1", port: 0, token }))).toBe("server_host_refused");
      app.close();
    },
  );
});
