/**
 * The fake as a process of its own: `bun test/fakes/drive/main.ts [--port N]`. Prints one line of JSON when it listens,
 * `{url, drive_id, credentials}`, and serves until it is told to end.
 */
import { parseArgs } from "node:util";
import { DriveFake } from "./drive-fake.ts";

const { values } = parseArgs({ options: { port: { type: "string" } } });
const fake = await DriveFake.start(Number(values.port ?? 0));
console.log(JSON.stringify({ url: fake.url, drive_id: fake.drive.id, credentials: fake.account.file }));
