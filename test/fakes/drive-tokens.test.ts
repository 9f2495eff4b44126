import { expect, test } from "bun:test";
import { createServiceAccount } from "./drive/service-account.ts";
import { assertionOf, namesOf, RawDriveClient, reasonOf } from "./drive-client.ts";
import { startFake } from "./start-fake.ts";

const ABOUT = { query: { fields: "user" } };

test("an assertion signed by another key gets no token", async () => {
  const fake = await startFake();
  const { file } = createServiceAccount("thief", "elsewhere", 0, true);
  const forged = assertionOf({ ...fake.account, file: { ...fake.account.file, private_key: file.private_key } });
  const { status, json } = await new RawDriveClient(fake).requestToken(forged);
  expect(status).toBe(400);
  expect(json).toEqual({ error: "invalid_grant", error_description: "Invalid JWT Signature." });
});

test("an assertion for another audience, account, scope or time gets no token", async () => {
  const fake = await startFake();
  const client = new RawDriveClient(fake);
  const iat = Math.floor(Date.now() / 1000);
  const wrong: readonly [Record<string, unknown>, string][] = [
    [{ aud: "https://www.googleapis.com/drive/v3" }, "invalid_grant"],
    [{ iss: "nobody@studio.iam.gserviceaccount.com" }, "invalid_grant"],
    [{ scope: "" }, "invalid_scope"],
    [{ scope: "drive" }, "invalid_scope"],
    [{ exp: iat + 7200 }, "invalid_grant"],
    [{ iat: iat - 7200, exp: iat - 3600 }, "invalid_grant"],
    [{ iat: iat + 1800, exp: iat + 3600 }, "invalid_grant"],
    [{ exp: undefined }, "invalid_grant"],
    [{ sub: "artist@studio.example" }, "unauthorized_client"],
  ];
  for (const [claims, error] of wrong) {
    const answer = await client.requestToken(assertionOf(fake.account, claims));
    expect([claims, answer.json["error"]]).toEqual([claims, error]);
  }
  expect(fake.tokens.refused).toHaveLength(wrong.length);
});

test("a grant that is no assertion gets no token", async () => {
  const fake = await startFake();
  const { json } = await new RawDriveClient(fake).requestToken(undefined, "client_credentials");
  expect(json["error"]).toBe("unsupported_grant_type");
});

test("a token works until it expires and not a moment longer", async () => {
  const fake = await startFake();
  fake.tokens.tokenLifeSeconds = 60;
  const client = new RawDriveClient(fake);
  expect((await client.send("GET", "/drive/v3/about", ABOUT)).status).toBe(200);
  fake.clock.advance(61_000);
  const late = await client.send("GET", "/drive/v3/about", ABOUT);
  expect([late.status, reasonOf(late)]).toEqual([401, "authError"]);
});

test("a request without a token, or with a made-up one, sees nothing", async () => {
  const fake = await startFake();
  const client = new RawDriveClient(fake);
  expect((await client.send("GET", "/drive/v3/files", { token: null })).status).toBe(401);
  expect((await client.send("GET", "/drive/v3/files", { token: "ya29.guessed" })).status).toBe(401);
});

test("a token in the address is refused: addresses end up in logs", async () => {
  const fake = await startFake();
  const client = new RawDriveClient(fake);
  const answer = await client.send("GET", "/drive/v3/files", { query: { access_token: await client.token() } });
  expect(answer.status).toBe(400);
});

test("drive.file shows what the app made and nothing else", async () => {
  const fake = await startFake();
  const other = fake.addFile({ name: "theirs", content: "x" });
  const folder = fake.addFolder({ name: "ours", madeBy: fake.account.app });
  const client = new RawDriveClient(fake, fake.account, "https://www.googleapis.com/auth/drive.file");
  const query = { supportsAllDrives: "true" };
  const made = await client.upload({ name: "mine", parents: [folder.id] }, "x");
  expect(made.status).toBe(200);
  expect(namesOf(await client.list("trashed = false"))).toEqual(["mine", "ours"]);
  const hidden = await client.send("GET", `/drive/v3/files/${other.id}`, { query });
  expect([hidden.status, reasonOf(hidden)]).toEqual([404, "notFound"]);
  const refused = await client.upload({ name: "mine", parents: [fake.drive.id] }, "x");
  expect([refused.status, reasonOf(refused)]).toEqual([404, "notFound"]);
  expect((await client.send("GET", `/drive/v3/drives/${fake.drive.id}`)).status).toBe(403);
});

test("a scope that only reads cannot write", async () => {
  const fake = await startFake();
  const client = new RawDriveClient(fake, fake.account, "https://www.googleapis.com/auth/drive.readonly");
  const refused = await client.upload({ name: "a", parents: [fake.drive.id] }, "x");
  expect([refused.status, reasonOf(refused)]).toEqual([403, "insufficientPermissions"]);
});
