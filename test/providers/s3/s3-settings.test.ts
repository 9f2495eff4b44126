import { describe, expect, test } from "bun:test";
import { SyncError } from "../../../src/core/errors.ts";
import { readS3Settings } from "../../../src/providers/s3/settings.ts";

const GOOD = { bucket: "studio", aws_access_key_id: "AKIA", aws_secret_access_key: "c2VjcmV0" };

function refusal(settings: Readonly<Record<string, unknown>>): SyncError {
  try {
    readS3Settings({ ...GOOD, ...settings });
  } catch (error) {
    if (error instanceof SyncError) return error;
  }
  throw new Error("the settings were accepted");
}

describe("a setting that would end in another part of the URL is refused", () => {
  for (const bucket of ["a/b", "a?b=c", "a#b", "user@host", "a:b", "..", "-abc", "ab", "a b", "a\nb", 7, true]) {
    test(`bucket ${JSON.stringify(bucket)}`, () => expect(refusal({ bucket }).code).toBe("provider_config"));
  }
  for (const region of ["us/east", "x@y", "a.example.com", "-a", "eu west", 1]) {
    test(`region ${JSON.stringify(region)}`, () => expect(refusal({ region }).code).toBe("provider_config"));
  }
});

describe("an endpoint that is no plain http(s) address is refused", () => {
  const endpoints = [
    "s3.example.com",
    "file:///etc/passwd",
    "s3://bucket",
    "https://user:pass@s3.example.com",
    "https://s3.example.com/?a=b",
    "https://s3.example.com/#x",
    "https://",
    5,
  ];
  for (const endpoint_url of endpoints) {
    test(JSON.stringify(endpoint_url), () => expect(refusal({ endpoint_url }).code).toBe("provider_config"));
  }
});

describe("credentials", () => {
  test("are missing when the vault has none, whatever the environment holds", () => {
    const before = { ...process.env };
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: "ambient",
      AWS_SECRET_ACCESS_KEY: "ambient",
      AWS_PROFILE: "ambient",
    });
    try {
      expect(refusal({ aws_access_key_id: undefined }).code).toBe("credentials_missing");
      expect(refusal({ aws_secret_access_key: "" }).code).toBe("credentials_missing");
      expect(refusal({ aws_access_key_id: null }).code).toBe("credentials_missing");
      expect(readS3Settings(GOOD).credentials).toEqual({ accessKeyId: "AKIA", secretAccessKey: "c2VjcmV0" });
    } finally {
      for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"]) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });

  test("with a line end, as pasted, are refused by name and never shown", () => {
    const error = refusal({ aws_secret_access_key: "very-secret-value\n" });
    expect(error.code).toBe("provider_config");
    expect(error.message).toContain("aws_secret_access_key");
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain("very-secret");
  });
});

test("a refused value is not in the message", () => {
  expect(refusal({ bucket: "canary/value" }).message).not.toContain("canary");
  expect(refusal({ endpoint_url: "https://u:canary@host" }).message).not.toContain("canary");
});

test("settings of other rooms and empty ones are not looked at", () => {
  const settings = readS3Settings({
    ...GOOD,
    prefix: "dev",
    profile: "x",
    region: null,
    endpoint_url: "",
    path_style: null,
  });
  expect(settings.region).toBe("us-east-1");
  expect(settings.endpoint.href).toBe("https://s3.us-east-1.amazonaws.com/");
});

test("AWS is addressed by host, an endpoint of one's own by path, unless told otherwise", () => {
  expect(readS3Settings(GOOD).pathStyle).toBe(false);
  expect(readS3Settings({ ...GOOD, endpoint_url: "https://minio.lan:9000" }).pathStyle).toBe(true);
  expect(readS3Settings({ ...GOOD, endpoint_url: "https://r2.example.com", path_style: false }).pathStyle).toBe(false);
});

test("a path_style that was set as text, as vault set does, is taken by its word", () => {
  const endpoint_url = "https://r2.example.com";
  expect(readS3Settings({ ...GOOD, path_style: "true" }).pathStyle).toBe(true);
  expect(readS3Settings({ ...GOOD, endpoint_url, path_style: "false" }).pathStyle).toBe(false);
  expect(refusal({ path_style: "no" })).toMatchObject({ code: "provider_config" });
});

test("a bucket that a wildcard certificate does not cover is addressed by path on AWS as well", () => {
  expect(readS3Settings({ ...GOOD, bucket: "art.example.com" }).pathStyle).toBe(true);
  expect(readS3Settings({ ...GOOD, bucket: "Old_Bucket" }).pathStyle).toBe(true);
});

test("AWS in China has its own domain", () => {
  expect(readS3Settings({ ...GOOD, region: "cn-north-1" }).endpoint.host).toBe("s3.cn-north-1.amazonaws.com.cn");
});

test("a KMS key without KMS, an unknown sse and a storage class that is no name are refused", () => {
  expect(refusal({ sse_kms_key_id: "abc" }).code).toBe("provider_config");
  expect(refusal({ sse: "rot13" }).code).toBe("provider_config");
  expect(refusal({ storage_class: "STANDARD\r\nx-evil: 1" }).code).toBe("provider_config");
  expect(refusal({ bucket: "fast--use1-az4--x-s3" }).code).toBe("provider_config");
});
