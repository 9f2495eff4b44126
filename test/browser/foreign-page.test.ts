/**
 * A page of another origin in a real browser, against the real program. COMFYVN_TEST_CHROMIUM names the browser; `none` leaves
 * these tests to another run, as .ci/run does with its step for them. Unset, they run with CI=true only.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { tempFolder } from "../support/temp-folder.ts";
import { startFuzzedServer } from "../security/fuzz/fuzzed-server.ts";
import { foreignPage } from "./foreign-page.ts";

const CI = process.env["CI"] === "true";
const EXECUTABLE = process.env["COMFYVN_TEST_CHROMIUM"] ?? (CI ? Bun.which("chromium") : null) ?? "none";
/** A name that the browser is told leads to 127.0.0.1, as a rebinding name server would. */
const REBOUND = "rebound.example";

if (EXECUTABLE !== "none") {
  const folder = tempFolder();
  const server = await startFuzzedServer(folder);
  const page = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      const rebound = new URL(url).searchParams.has("rebound");
      const host = rebound ? `${REBOUND}:${server.port}` : `127.0.0.1:${server.port}`;
      return new Response(foreignPage(`http://${host}`, `ws://${host}`), { headers: { "content-type": "text/html" } });
    },
  });
  const browser: Browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ["--no-sandbox", "--disable-gpu", `--host-resolver-rules=MAP *.example 127.0.0.1`, "--no-proxy-server"],
  });
  afterAll(async () => {
    await browser.close();
    await page.stop(true);
    await server.stop();
  });

  /** What a request could have changed: archives, mirrored files, webhooks. */
  const effects = () => {
    const under = (path: string) => (existsSync(join(folder, path)) ? readdirSync(join(folder, path)) : []);
    return [...under("workspace/backups/cloud"), ...under("nas"), ...under("workspace/cache/cloud/manifests")];
  };

  const triedBy = async (url: string): Promise<Record<string, string>> => {
    const context = await browser.newContext();
    try {
      const tab = await context.newPage();
      await tab.goto(url);
      await tab.waitForFunction("window.tried !== undefined", undefined, { timeout: 60_000 });
      return await tab.evaluate<Record<string, string>>("window.tried");
    } finally {
      await context.close();
    }
  };

  describe("a page of another origin in Chromium", () => {
    test.each([
      ["another port of loopback", `http://127.0.0.1:${page.port}/`],
      ["a foreign name", `http://evil.example:${page.port}/`],
      ["localhost by another port", `http://localhost:${page.port}/`],
      ["a name that is rebound to loopback", `http://evil.example:${page.port}/?rebound`],
    ])(
      "from %s changes nothing and reads nothing",
      async (_from, url) => {
        const tried = await triedBy(url);
        expect(Object.keys(tried).length).toBe(17);
        for (const [name, result] of Object.entries(tried)) {
          // What was sent without being readable was refused: that is seen by its effects.
          expect({ name, result }).toEqual({
            name,
            result: expect.stringMatching(/^(blocked: \w+|opaque( \d+)?|true|sent(, no answer)?)$/),
          });
        }
        for (const name of ["fetch json", "read health", "read manifest", "script", "image", "websocket", "events"]) {
          expect({ name, result: tried[name] }).toEqual({ name, result: expect.stringMatching(/^blocked/) });
        }
        expect(effects()).toEqual([]);
      },
      90_000,
    );

    test("that is rebound to the server's own port, so that it is of one origin, is refused by its Host", async () => {
      const context = await browser.newContext();
      try {
        const tab = await context.newPage();
        const answer = await tab.goto(`http://${REBOUND}:${server.port}/api/health`);
        expect(answer?.status()).toBe(403);
        expect(await answer?.json()).toMatchObject({ code: "forbidden_host" });
        const status: unknown = await tab.evaluate(
          `fetch("/api/backup/create", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }).then((r) => r.status, () => 0)`,
        );
        expect([0, 403]).toContain(Number(status));
        expect(effects()).toEqual([]);
      } finally {
        await context.close();
      }
    }, 60_000);

    test("would have had an effect if it were the server's own: the attempts are real", async () => {
      const tab = await browser.newPage();
      await tab.goto(`${server.base}/docs`);
      const response = await tab.request.post(`${server.base}/api/backup/create`, {
        headers: { "content-type": "application/json", origin: server.base, "sec-fetch-site": "same-origin" },
        data: "{}",
      });
      expect(response.status()).toBe(200);
      expect(effects().length).toBeGreaterThan(0);
    }, 60_000);

    test("/docs shows itself without a script, a request to anyone, or a complaint of its policy", async () => {
      const tab = await browser.newPage();
      const complaints: string[] = [];
      const asked: string[] = [];
      tab.on("console", (message) => complaints.push(message.text()));
      tab.on("request", (request) => asked.push(request.url()));
      await tab.goto(`${server.base}/docs`, { waitUntil: "networkidle" });
      expect(asked.filter((url) => !url.endsWith("/favicon.ico"))).toEqual([`${server.base}/docs`]);
      expect(complaints.filter((text) => /policy|refused/i.test(text) && !text.includes("favicon"))).toEqual([]);
      expect(await tab.locator("article").count()).toBeGreaterThan(10);
      expect(await tab.evaluate(`getComputedStyle(document.querySelector("pre")).overflowX`)).toBe("auto");
    }, 60_000);
  });

  test("the log names the refused pages' requests by no value of theirs", () => {
    const log = join(folder, "workspace/logs/server.log");
    expect(existsSync(log) ? readFileSync(log, "utf8") : "").not.toContain("evil.example");
  });
}

test("CI has a browser, or another step that has", () => {
  expect(!CI || EXECUTABLE !== "none" || process.env["COMFYVN_TEST_CHROMIUM"] === "none").toBe(true);
});
