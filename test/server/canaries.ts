import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { entriesOf } from "../backup/zip-reader.ts";

/** A secret of each kind, so that a leak tells where it came from. */
export const CANARY = {
  passphrase: "canary-passphrase-0123456789",
  accessKey: "CANARYACCESSKEY00001",
  secretKey: "canary-secret-key-0123456789",
  sessionToken: "canary-session-token-0123456789",
  userinfo: "canary-userinfo-0123456789",
  webhookSecret: "canary-webhook-secret-0123456789",
  keyedSecret: `whsec_${Buffer.from("canary-keyed-secret-012345").toString("base64")}`,
  webhookUserinfo: "canary-webhook-userinfo-0123",
  apiToken: "canary-api-token-0123456789-0123456789",
  wrongToken: "canary-wrong-token-0123456789-012345",
  privateKey: "canaryprivatekey0123456789",
} as const;

/** As they are, in base64 and in hex: an Authorization header or a blob would hide them from a plain search. */
const NEEDLES = Object.entries(CANARY).flatMap(([kind, text]) =>
  [text, Buffer.from(text).toString("base64").slice(0, -3), Buffer.from(text).toString("hex")].map((form) => {
    return { kind, form };
  }),
);

/** The kinds of canary in `text`. */
export function canariesIn(text: string): string[] {
  return NEEDLES.filter(({ form }) => text.includes(form)).map(({ kind }) => kind);
}

/** Every file below `folder`, archives unpacked, in which a canary is, as `path: kind`. */
export function leaksBelow(folder: string, isAllowed: (path: string) => boolean): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (isAllowed(name)) return [];
    const bytes = readFileSync(path);
    const contents = [bytes, ...(name.endsWith(".zip") ? entriesOf(bytes).values() : [])];
    return contents.flatMap((each) =>
      canariesIn(Buffer.from(each).toString("latin1")).map((kind) => `${name}: ${kind}`),
    );
  });
}
