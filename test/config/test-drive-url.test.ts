import { expect, test } from "bun:test";
import { readTestDriveUrl } from "../../src/config/test-drive-url.ts";

test("a test's server on loopback is taken, by its origin alone", () => {
  expect(readTestDriveUrl(undefined)).toBeUndefined();
  expect(readTestDriveUrl("http://127.0.0.1:4711/")).toBe("http://127.0.0.1:4711");
  expect(readTestDriveUrl("http://[::1]:4711")).toBe("http://[::1]:4711");
});

test("no other address gets the vault's key: the program does not start", () => {
  for (const text of [
    "https://127.0.0.1:4711",
    "http://drive.example.com",
    "http://127.0.0.1.example.com",
    "http://10.0.0.1:80",
    "http://127.0.0.1@example.com",
    "http://user@127.0.0.1:80",
    "http://127.0.0.1:80/path",
    "http://127.0.0.1:80/?x=1",
    "file:///etc/passwd",
    "127.0.0.1:80",
    "nonsense",
  ]) {
    expect(() => readTestDriveUrl(text), text).toThrow("COMFYVN_TEST_DRIVE_URL is for tests");
  }
});
