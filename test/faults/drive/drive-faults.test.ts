/** Whole runs against a Drive that fails: what passes costs time, what does not is told, and nothing is lost or doubled. */
import { describe, expect, test } from "bun:test";
import {
  type DriveFault,
  DriveFaultScript,
  type RefusalReason,
  type ScriptedDriveFault,
} from "../../fakes/drive/drive-faults.ts";
import { DriveMirror, FOLDERS, type RunEnd } from "./drive-mirror.ts";

const KIB = 1024;
const CHUNK_BYTES = 256 * KIB;
const TIMEOUT_MS = 60_000;

/**
 * A run has arrived; then a large file has new content, a small one too, one has moved, one is gone, one is new. The
 * second run meets the faults, the third one nothing.
 */
async function meetFaults(
  faults: readonly ScriptedDriveFault[],
  prepare: (mirror: DriveMirror) => void = () => undefined,
) {
  const mirror = await DriveMirror.create({
    "assets/changed.txt": "one",
    "assets/gone.txt": "gone",
    "assets/moves.txt": "moves",
    "assets/stays.txt": "stays",
    "models/large.bin": noise(5 * CHUNK_BYTES + 1_000, 1),
  });
  try {
    expect(statusOf(await mirror.run())).toBe("ok");
    mirror.write("assets/changed.txt", "two");
    mirror.write("assets/new.txt", "new");
    mirror.write("models/large.bin", noise(4 * CHUNK_BYTES + 777, 2));
    mirror.write("models/other.bin", noise(3 * CHUNK_BYTES, 3));
    mirror.move("assets/moves.txt", "assets/deep/moved.txt");
    mirror.remove("assets/gone.txt");
    const { fake, destination } = mirror;
    prepare(mirror);
    fake.log.clear();
    fake.script = new DriveFaultScript(faults);
    const end = await mirror.run();
    const { script } = fake;
    const log = [...fake.log.requests];
    destination.requireNothingMissing();
    fake.script = new DriveFaultScript();
    fake.clock.advance(60_000);
    expect(statusOf(await mirror.run())).toBe("ok");
    script.assertAllFired();
    fake.assertNothingRefused();
    destination.requireNoDuplicates();
    destination.requirePublishedTrue();
    destination.requireEqual(mirror.root, FOLDERS);
    destination.requireNothingElse();
    expect(await mirror.planned()).toEqual([0, 0]);
    for (const secret of fake.secrets) expect(mirror.told.includes(secret)).toBe(false);
    return { end, log };
  } finally {
    await mirror.end();
  }
}

function statusOf(end: RunEnd): string {
  return "result" in end ? end.result.summary.status : `${end.code}: ${end.message}`;
}

/** Codes of a run's errors, each once. */
function codesOf(end: RunEnd): string[] {
  return "result" in end ? [...new Set(end.result.summary.errors.map(({ code }) => code))] : [end.code];
}

const PASSING: readonly (readonly [what: string, ...ScriptedDriveFault[]])[] = [
  [
    "403 userRateLimitExceeded",
    { on: "write", nth: 2, times: 2, fault: { kind: "refusal", reason: "userRateLimitExceeded" } },
  ],
  [
    "403 rateLimitExceeded on every kind of call",
    { on: "any", nth: 2, times: 5, fault: { kind: "refusal", reason: "rateLimitExceeded" } },
  ],
  ["429 with Retry-After", { on: "write", nth: 1, fault: { kind: "too_many_requests", retryAfterSeconds: 1 } }],
  ["429 without Retry-After", { on: "write", nth: 1, times: 3, fault: { kind: "too_many_requests" } }],
  ...serverErrors(
    "files.create.multipart",
    "files.update.multipart",
    "files.create.resumable",
    "upload.chunk",
    "files.update",
    "files.delete",
  ),
  ["HTML of a balancer", { on: "any", nth: 3, fault: { kind: "html", status: 502 } }],
  ...connectionFaults("files.create.multipart", "files.update.multipart", "files.update.resumable", "upload.chunk"),
  ["no answer, before and after", hang("files.create.multipart", "before"), hang("upload.chunk", "after")],
  ["308 with less than was sent", { on: "upload.chunk", nth: 2, times: 2, fault: { kind: "keep_less", bytes: 0 } }],
  ["a session that is lost, 404", { on: "upload.chunk", nth: 3, fault: { kind: "session_lost", status: 404 } }],
  ["a session that is lost, 410", { on: "upload.chunk", nth: 2, fault: { kind: "session_lost", status: 410 } }],
  [
    "401 in the middle",
    { on: "write", nth: 3, fault: { kind: "token_revoked" } },
    { on: "upload.chunk", nth: 3, fault: { kind: "token_revoked" } },
  ],
  [
    "a token endpoint in trouble",
    { on: "write", nth: 2, fault: { kind: "token_revoked" } },
    { on: "token", nth: 1, fault: { kind: "html", status: 503 } },
  ],
  ["bytes damaged on their way up", { on: "files.create.multipart", nth: 2, fault: { kind: "corrupt_upload" } }],
  ["bytes of a chunk damaged on their way up", { on: "upload.chunk", nth: 2, fault: { kind: "corrupt_upload" } }],
  [
    "a manifest damaged or cut on its way down",
    { on: "files.download", nth: 1, fault: { kind: "truncate_download", how: "close" } },
    { on: "files.download", nth: 2, fault: { kind: "truncate_download", how: "reset" } },
  ],
];

/** Which requests of a kind fail. Of the small ones the first are for the run's own marker and lease, the next for files. */
function placesOf(on: ScriptedDriveFault["on"]): number[] {
  return on.endsWith(".multipart") ? [1, 3, 4] : [1];
}

function serverErrors(...routes: ScriptedDriveFault["on"][]): [string, ...ScriptedDriveFault[]][] {
  const fault = (when: "before" | "after"): DriveFault => ({ kind: "server_error", status: 500, when, body: "json" });
  return (["before", "after"] as const).map((when) => [
    `500 ${when} it was applied`,
    ...routes.flatMap((on) => placesOf(on).map((nth) => ({ on, nth, fault: fault(when) }))),
  ]);
}

function connectionFaults(...routes: ScriptedDriveFault["on"][]): [string, ...ScriptedDriveFault[]][] {
  return (["before", "in_body", "after"] as const).map((when) => [
    `a reset, ${when}`,
    ...routes.flatMap((on) => placesOf(on).map((nth) => ({ on, nth, fault: { kind: "reset", when } as const }))),
  ]);
}

function hang(on: ScriptedDriveFault["on"], when: "before" | "after"): ScriptedDriveFault {
  return { on, nth: 1, fault: { kind: "hang", when } };
}

describe("what passes ends ok", () => {
  for (const [what, ...faults] of PASSING)
    test(
      what,
      async () => {
        const { end } = await meetFaults(faults);
        expect(statusOf(end)).toBe("ok");
      },
      TIMEOUT_MS,
    );
});

describe("what lasts is told, and nothing is sent in vain", () => {
  const full: RefusalReason[] = [
    "storageQuotaExceeded",
    "quotaExceeded",
    "teamDriveFileLimitExceeded",
    "numChildrenInNonRootLimitExceeded",
  ];
  for (const reason of full)
    test(
      `403 ${reason}: no more content`,
      async () => {
        const { end, log } = await meetFaults([
          { on: "files.create.multipart", nth: 1, fault: { kind: "refusal", reason } },
        ]);
        expect(codesOf(end)).toEqual(["disk_full"]);
        const refused = log.findIndex(({ fault }) => fault === "refusal");
        expect(log.slice(refused + 1).filter(({ route }) => route.startsWith("files.create."))).toEqual([]);
      },
      TIMEOUT_MS,
    );

  test(
    "403 dailyLimitExceeded: no more calls",
    async () => {
      const { end, log } = await meetFaults([
        { on: "files.create.multipart", nth: 1, fault: { kind: "refusal", reason: "dailyLimitExceeded" } },
      ]);
      expect(codesOf(end)).toEqual(["provider_denied"]);
      const refused = log.findIndex(({ fault }) => fault === "refusal");
      // What was under way at that moment may still come in.
      expect(log.length - refused).toBeLessThan(12);
    },
    TIMEOUT_MS,
  );
});

describe("what Drive does on an ordinary day", () => {
  const listings: readonly (readonly [what: string, DriveFault])[] = [
    ["an empty page that goes on", { kind: "short_page", files: 0 }],
    ["a short page", { kind: "short_page", files: 1 }],
    ["an incomplete search", { kind: "incomplete_search" }],
  ];
  for (const [what, fault] of listings)
    test(
      what,
      async () => {
        const { end } = await meetFaults([{ on: "files.list", nth: 1, times: 3, fault }]);
        expect(statusOf(end)).toBe("ok");
      },
      TIMEOUT_MS,
    );

  test(
    "an index that lags 5 s behind: what a run has written, neither it nor the next one writes again",
    async () => {
      const { end } = await meetFaults([], ({ fake }) => {
        fake.store.indexLagMs = 5_000;
      });
      expect(statusOf(end)).toBe("ok");
    },
    TIMEOUT_MS,
  );

  test(
    "deleting for good is not allowed",
    async () => {
      const { end, log } = await meetFaults([], ({ fake }) => {
        fake.drive.members.set(fake.account.email, "fileOrganizer");
      });
      expect(statusOf(end)).toBe("ok");
      expect(log.filter(({ route }) => route === "files.delete").every(({ status }) => status === 403)).toBe(true);
    },
    TIMEOUT_MS,
  );

  test(
    "many faults that pass, all in one run",
    async () => {
      const reset = (on: ScriptedDriveFault["on"], nth: number, when: "before" | "in_body" | "after") =>
        ({ on, nth, fault: { kind: "reset", when } }) as const;
      const failed = (on: ScriptedDriveFault["on"], nth: number, status: 500 | 503) =>
        ({ on, nth, fault: { kind: "server_error", status, when: "after", body: "html" } }) as const;
      const { end } = await meetFaults([
        reset("files.create.multipart", 1, "after"),
        { on: "files.create.multipart", nth: 3, fault: { kind: "corrupt_upload" } },
        failed("files.update.multipart", 2, 500),
        failed("files.create.resumable", 1, 503),
        failed("upload.chunk", 1, 500),
        { on: "upload.chunk", nth: 3, fault: { kind: "keep_less", bytes: 0 } },
        { on: "upload.chunk", nth: 5, fault: { kind: "session_lost", status: 404 } },
        reset("upload.chunk", 7, "in_body"),
        failed("files.update", 1, 500),
        reset("files.delete", 1, "after"),
        reset("files.list", 2, "before"),
        { on: "files.list", nth: 4, fault: { kind: "incomplete_search" } },
        { on: "files.download", nth: 1, fault: { kind: "truncate_download", how: "reset" } },
        { on: "any", nth: 25, fault: { kind: "token_revoked" } },
      ]);
      expect(statusOf(end)).toBe("ok");
    },
    TIMEOUT_MS,
  );
});

describe("other hands in the folder", () => {
  /** What someone else does to the file of `path` while a run is about to send it. */
  const others: readonly (readonly [what: string, path: string, act: (mirror: DriveMirror, id: string) => void])[] = [
    ["a file is deleted that is to be replaced", "assets/changed.txt", ({ fake }, id) => fake.store.remove(id)],
    [
      "a file is trashed that is to be replaced",
      "assets/changed.txt",
      ({ fake }, id) => void fake.store.change(id, { trashed: true }),
    ],
    ["a large file is deleted that is to be replaced", "models/large.bin", ({ fake }, id) => fake.store.remove(id)],
    ["a file is deleted that is to be deleted", "assets/gone.txt", ({ fake }, id) => fake.store.remove(id)],
    ["a file is deleted that is to be moved", "assets/moves.txt", ({ fake }, id) => fake.store.remove(id)],
  ];
  for (const [what, path, act] of others)
    test(
      what,
      async () => {
        const meanwhile: { act: () => void } = { act: () => undefined };
        const fault: DriveFault = { kind: "meanwhile", act: () => meanwhile.act() };
        const { end } = await meetFaults([{ on: "files.create", nth: 1, fault }], (mirror) => {
          const [file] = mirror.destination.objects().get(path) ?? [];
          meanwhile.act = () => act(mirror, file?.id ?? "");
        });
        expect(statusOf(end)).toBe("ok");
      },
      TIMEOUT_MS,
    );

  test(
    "two machines that run at once leave no path with two files, and nothing that is named and missing",
    async () => {
      const files = { "assets/a.txt": "a", "assets/b.txt": "b", "models/c.bin": noise(3 * CHUNK_BYTES, 7) };
      const one = await DriveMirror.create(files);
      const two = await DriveMirror.create(files, one.fake);
      try {
        expect(statusOf(await one.run())).toBe("ok");
        const ends: string[] = [];
        for (let n = 0; n < 4; n++) {
          one.write("assets/a.txt", `one ${n}`);
          one.write(`assets/one ${n}.txt`, "new");
          two.write("assets/a.txt", `two ${n}`);
          ends.push(...(await Promise.all([one.run(), two.run()])).map(statusOf));
          one.destination.requireNoDuplicates();
          one.destination.requireNothingMissing();
        }
        expect(ends).toContain("ok");
        expect(statusOf(await two.run())).toBe("ok");
        two.destination.requireEqual(two.root, FOLDERS);
        two.destination.requireNothingElse();
        expect(statusOf(await one.run())).toBe("ok");
        one.destination.requireEqual(one.root, FOLDERS);
        one.fake.assertNothingRefused();
      } finally {
        await two.end();
        await one.end();
      }
    },
    TIMEOUT_MS,
  );
});

/** Bytes that a number decides. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 0x9e3779b1;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}
