import { expect, test } from "bun:test";
import { utf8 } from "../../support/contents.ts";
import { keysOf, put, setUpS3 } from "./s3-setup.ts";

const { server, open } = await setUpS3();
const HOUR_MS = 3_600_000;

test("a clock that is wrong is corrected by the store's, once, for every kind of request", async () => {
  for (const offset of [2 * HOUR_MS, -26 * HOUR_MS]) {
    server.clockOffsetMs = offset;
    const provider = open();
    const before = server.seen.length;
    await put(provider, "k", utf8("content"));
    expect(server.seen.length - before).toBe(2);
    expect((await provider.stat("k"))?.size).toBe(7);
    expect(await keysOf(provider)).toEqual(["k"]);
    expect(server.seen.length - before).toBe(4);
  }
  server.clockOffsetMs = 0;
});

test("a wrong clock shows in the first request being a HEAD too, which is refused without a reason", async () => {
  await put(open(), "k", utf8("content"));
  server.clockOffsetMs = 3 * HOUR_MS;
  try {
    expect((await open().stat("k"))?.size).toBe(7);
  } finally {
    server.clockOffsetMs = 0;
  }
});

test("a store that refuses the corrected clock as well is not asked for ever", async () => {
  const body = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
  const fault = server.faults.add("PutObject", { kind: "answer", reply: { status: 403, body } }, { times: Infinity });
  await expect(put(open(), "k", utf8("x"))).rejects.toMatchObject({ code: "provider_denied", retryable: false });
  expect(fault.fired).toBe(2);
  fault.remove();
});
