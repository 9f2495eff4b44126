import { describe, expect, test } from "bun:test";
import { formatDuration, shorten, widthOf } from "../../src/cli/format.ts";
import { ProgressLine } from "../../src/cli/progress/progress-line.ts";
import type { Progress } from "../../src/cli/progress/progress.ts";
import { ASCII, BLOCKS, barText, lineText } from "../../src/cli/progress/progress-text.ts";
import { RateMeter } from "../../src/cli/progress/rate-meter.ts";
import type { Platform } from "../../src/platform/contract.ts";

const MIB = 1024 ** 2;
const HALF: Progress = { phase: "upload", filesDone: 3, filesTotal: 8, bytesDone: 50 * MIB, bytesTotal: 100 * MIB };
const RATES = { bytesPerS: 10 * MIB, filesPerS: 1 };

describe("a bar", () => {
  test("tells share, amount, rate, time left and files, in one line", () => {
    expect(barText(HALF, RATES, 100, BLOCKS)).toBe(
      "upload  ████████████░░░░░░░░░░░░   50 %  50.0 of 100 MiB  10.0 MiB/s  0:05 left  3 of 8 files",
    );
  });

  for (const columns of [80, 60, 40, 20]) {
    test(`fits ${columns} columns, leaving out the least important first`, () => {
      const text = barText(HALF, RATES, columns, ASCII);
      expect(widthOf(text)).toBeLessThanOrEqual(columns);
      expect(text).toMatch(/^upload .*50 %/);
    });
  }

  test("of a scan goes by files, since nobody knows the bytes before they are read", () => {
    const scan = { ...HALF, phase: "scan", bytesTotal: undefined };
    expect(barText(scan, RATES, 100, ASCII)).toBe(
      "scan  #########---------------   37 %  3 of 8 files  10.0 MiB/s  0:05 left  50.0 MiB",
    );
  });

  test("is left away while nothing is known to be there", () => {
    const none = { phase: "scan", filesDone: 0, filesTotal: 0, bytesDone: 0, bytesTotal: undefined };
    expect(barText(none, { bytesPerS: undefined, filesPerS: undefined }, 80, ASCII)).toBe("scan  0 of 0 files  0 B");
  });

  test("never promises more than all of it, nor an end that is days away", () => {
    const over = barText({ ...HALF, bytesDone: 300 * MIB }, RATES, 100, ASCII);
    expect(over).toContain("100 %");
    expect(over).not.toContain("left");
    expect(lineText(HALF, { bytesPerS: 1, filesPerS: 1 })).not.toContain("left");
  });
});

describe("a rate", () => {
  test("is told of the last seconds, not of the whole time", () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 20; second++) meter.add(second * 1000, second <= 10 ? second * 100 : 1000 + second);
    expect(meter.perSecond).toBe(1);
  });

  test("is not guessed at the start, and starts anew when an attempt's bytes go out again", () => {
    const meter = new RateMeter();
    meter.add(0, 0);
    meter.add(100, 1000);
    expect(meter.perSecond).toBeUndefined();
    meter.add(1000, 1000);
    expect(meter.perSecond).toBe(1000);
    meter.add(1100, 200);
    expect(meter.perSecond).toBeUndefined();
  });
});

/** A platform whose stderr is written to `lines`. */
function platformWith(errorColumns: number | undefined, variables: Readonly<Record<string, string>> = {}) {
  const written: string[] = [];
  const terminal = { errorColumns, writeError: (text: string) => void written.push(text) };
  return { written, platform: { env: (name: string) => variables[name], terminal } as unknown as Platform };
}

describe("progress", () => {
  const scan = (filesDone: number): Progress => ({ ...HALF, phase: "scan", filesDone, bytesTotal: undefined });

  test("is a bar drawn over itself on a terminal, and is taken away", () => {
    let nowMs = 0;
    const { written, platform } = platformWith(80);
    const line = new ProgressLine(platform, () => nowMs);
    line.show(scan(1));
    nowMs = 50;
    line.show(scan(2));
    nowMs = 150;
    line.show(scan(3));
    line.clear();
    line.clear();
    expect(written.map((text) => text.slice(0, 4))).toEqual(["\r\u001b[K", "\r\u001b[K", "\r\u001b[K"]);
    expect(written[1]).toContain("3 of 8 files");
  });

  for (const [where, columns, variables] of [
    ["elsewhere", undefined, {}],
    ["a dumb terminal", 80, { TERM: "dumb" }],
  ] as const) {
    test(`${where} is a line now and then, and none in a short command`, () => {
      let nowMs = 0;
      const { written, platform } = platformWith(columns, variables);
      const line = new ProgressLine(platform, () => nowMs);
      for (; nowMs < 26_000; nowMs += 100) line.show(scan(Math.floor(nowMs / 4000)));
      line.clear();
      expect(written).toHaveLength(3);
      expect(written[0]).toBe("scan: 12 %, 1 of 8 files, 0 B/s, 0:35 left, 50.0 MiB\n");
      expect(written.join("")).not.toMatch(/[\r\u001b]/);
    });
  }

  test("is drawn with plain signs where the locale knows no others", () => {
    const { written, platform } = platformWith(80, { LC_ALL: "C" });
    new ProgressLine(platform, () => 0).show(HALF);
    expect(written[0]).toMatch(/^\r\u001b\[Kupload {2}#+-+ /);
  });
});

test("times are read at a glance", () => {
  expect([0, 42, 60, 3599, 3600, 36_061].map(formatDuration)).toEqual([
    "0:00",
    "0:42",
    "1:00",
    "59:59",
    "1:00:00",
    "10:01:01",
  ]);
});

test("a name that is too long keeps its beginning and its end, whole characters", () => {
  expect(shorten("assets/characters/mika/pose-1.png", 20)).toBe("assets/ch…pose-1.png");
  expect(widthOf(shorten("背景".repeat(40), 21))).toBeLessThanOrEqual(21);
  expect(shorten("👩‍👩‍👧".repeat(20), 5)).toBe("👩‍👩‍👧…👩‍👩‍👧");
});
