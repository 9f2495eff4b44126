import { sign } from "node:crypto";
import type { DriveFake } from "./drive/drive-fake.ts";
import type { ServiceAccount } from "./drive/service-account.ts";

/** Fields of answers that tests look at; the rest by name. */
export interface DriveJson {
  readonly [field: string]: unknown;
  readonly id?: string;
  readonly name?: string;
  readonly files?: DriveJson[];
  readonly ids?: string[];
  readonly nextPageToken?: string;
  readonly access_token?: string;
}

/** An answer, with its JSON if it has any. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: DriveJson;
  readonly bytes: Uint8Array;
}

export interface RawRequest {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object goes as JSON. */
  readonly body?: Uint8Array | string | object;
  /** null: none is sent. */
  readonly token?: string | null;
}

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** Claims as the documentation of service accounts has them; `changes` go over them. */
export function assertionOf(account: ServiceAccount, changes: Readonly<Record<string, unknown>> = {}): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: account.email,
    scope: "https://www.googleapis.com/auth/drive",
    aud: "https://oauth2.googleapis.com/token",
    iat,
    exp: iat + 3600,
    ...changes,
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "RS256", typ: "JWT", kid: account.file.private_key_id })}.${part(claims)}`;
  return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), account.file.private_key).toString("base64url")}`;
}

/** Speaks Drive's HTTP to the fake without any library: the fake's own tests, and what they compare a client with. */
export class RawDriveClient {
  #token: string | undefined;

  constructor(
    private readonly fake: DriveFake,
    private readonly account: ServiceAccount = fake.account,
    private readonly scope = "https://www.googleapis.com/auth/drive",
  ) {}

  async requestToken(assertion = assertionOf(this.account, { scope: this.scope }), grant = GRANT_TYPE) {
    const body = new URLSearchParams({ grant_type: grant, assertion });
    const response = await fetch(`${this.fake.url}/token`, { method: "POST", body });
    return { status: response.status, json: (await response.json()) as DriveJson };
  }

  async token(): Promise<string> {
    this.#token ??= (await this.requestToken()).json.access_token;
    return this.#token ?? "";
  }

  /** @param target a path below the fake's address, or an absolute address */
  async send(method: string, target: string, request: RawRequest = {}): Promise<RawAnswer> {
    const { query = {}, headers = {}, body, token = await this.token() } = request;
    const url = new URL(target, this.fake.url);
    for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
    const json = typeof body === "object" && !(body instanceof Uint8Array);
    const response = await fetch(url, {
      method,
      redirect: "manual",
      headers: {
        ...(json ? { "content-type": "application/json; charset=UTF-8" } : {}),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: json ? JSON.stringify(body) : (body as Uint8Array<ArrayBuffer> | string) }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    const value = isJson ? (JSON.parse(new TextDecoder().decode(bytes)) as DriveJson) : {};
    return { status: response.status, headers: response.headers, json: value, bytes };
  }

  /** `files.create` with content in one request. */
  async upload(
    metadata: object,
    content: Uint8Array | string,
    query: Readonly<Record<string, string>> = {},
  ): Promise<RawAnswer> {
    const { type, body } = multipartBody(metadata, content);
    return await this.send("POST", "/upload/drive/v3/files", {
      query: { uploadType: "multipart", supportsAllDrives: "true", ...query },
      headers: { "content-type": type },
      body,
    });
  }

  /** `files.list` of everything that is not in the trash, page by page. */
  async list(q: string, query: Readonly<Record<string, string>> = {}): Promise<DriveJson[]> {
    const files: DriveJson[] = [];
    for (let pageToken: string | undefined; ; ) {
      const answer = await this.send("GET", "/drive/v3/files", {
        query: { ...ALL_DRIVES, q, ...query, ...(pageToken === undefined ? {} : { pageToken }) },
      });
      if (answer.status !== 200) throw new Error(`${answer.status} ${reasonOf(answer)}`);
      files.push(...(answer.json.files ?? []));
      pageToken = answer.json.nextPageToken;
      if (pageToken === undefined) return files;
    }
  }
}

/** What `files.list` needs to show items of shared drives. */
export const ALL_DRIVES = { supportsAllDrives: "true", includeItemsFromAllDrives: "true" };

function multipartBody(metadata: object, content: Uint8Array | string): { type: string; body: Uint8Array } {
  const boundary = "a-line-between";
  const head = `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadata)}\r\n`;
  const body = Buffer.concat([
    Buffer.from(`${head}--${boundary}\r\nContent-Type: application/octet-stream\r\n\r\n`),
    Buffer.from(content as Uint8Array),
    Buffer.from(`\r\n--${boundary}--`),
  ]);
  return { type: `multipart/related; boundary=${boundary}`, body };
}

/** The reason of an error answer. */
export function reasonOf(answer: RawAnswer): string {
  const error = answer.json["error"] as { readonly errors: readonly { readonly reason: string }[] } | undefined;
  return error?.errors[0]?.reason ?? "none";
}

/** Names in order of code units. */
export function namesOf(files: readonly DriveJson[]): string[] {
  return files.map(({ name = "" }) => name).toSorted((a, b) => (a < b ? -1 : 1));
}
