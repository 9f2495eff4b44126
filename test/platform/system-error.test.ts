import { expect, test } from "bun:test";
import { readError } from "../../src/platform/node/system-error.ts";

test("a file that may not be read is told with what to do, not with the system's code", () => {
  const said = (code: string) => readError("the vault", Object.assign(new Error(code), { code })).message;
  expect(said("EACCES")).toBe(
    "the vault cannot be read: permission denied; let the user that runs this program read it",
  );
  expect(said("EISDIR")).toBe("the vault cannot be read: it is a folder; name a file");
  expect(said("ELOOP")).toBe("the vault cannot be read (ELOOP)");
});
