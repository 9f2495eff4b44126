import { expect, test } from "bun:test";
import { setUpS3 } from "./s3-setup.ts";

const { bucket, open } = await setUpS3({ quirks: { pageKeysMax: 2, hidesUploadEncoding: true } });

test("unfinished uploads are known by their keys and removed where the store encodes them and does not say so", async () => {
  const keys = ["dev/a b", "dev/a+b", "dev/p%20q", "dev/plain", "dev/ü"];
  for (const key of [...keys, "other place"]) bucket.begin(key, {});
  const asked: string[] = [];
  await open().unfinished?.discardOthers("dev/", (key) => {
    asked.push(key);
    return undefined;
  });
  expect(asked.toSorted()).toEqual(keys.toSorted());
  expect([...bucket.uploads.values()].map(({ key }) => key)).toEqual(["other place"]);
});
