import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";

/** The file that Google's console hands out for a service account. */
export interface ServiceAccountFile {
  readonly type: "service_account";
  readonly project_id: string;
  readonly private_key_id: string;
  readonly private_key: string;
  readonly client_email: string;
  readonly client_id: string;
  readonly auth_uri: string;
  readonly token_uri: string;
  readonly universe_domain: string;
}

export interface ServiceAccount {
  readonly email: string;
  /** The project that the account belongs to: what Drive calls the app. */
  readonly app: string;
  readonly file: ServiceAccountFile;
  readonly publicKey: KeyObject;
  /** Bytes it may own in its My Drive. None, except for accounts from before 2025. */
  readonly quotaBytes: number;
}

let keyPair: { publicKey: KeyObject; privateKey: string } | undefined;

/** All accounts of a process share one key unless `ownKey`: making one takes longer than most tests. */
export function createServiceAccount(name: string, app: string, quotaBytes: number, ownKey = false): ServiceAccount {
  const keys = ownKey ? newKeyPair() : (keyPair ??= newKeyPair());
  const email = `${name}@${app}.iam.gserviceaccount.com`;
  const file: ServiceAccountFile = {
    type: "service_account",
    project_id: app,
    private_key_id: randomBytes(20).toString("hex"),
    private_key: keys.privateKey,
    client_email: email,
    client_id: String(100_000_000_000 + Math.floor(Math.random() * 900_000_000_000)),
    auth_uri: "https://accounts.google.com/o/oauth2/auth",
    token_uri: "https://oauth2.googleapis.com/token",
    universe_domain: "googleapis.com",
  };
  return { email, app, file, publicKey: keys.publicKey, quotaBytes };
}

function newKeyPair(): { publicKey: KeyObject; privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { publicKey, privateKey: privateKey.export({ type: "pkcs8", format: "pem" }) };
}
