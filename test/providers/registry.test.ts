import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../src/core/errors.ts";
import { openProvider as openLocal } from "../../src/providers/local/local-provider.ts";
import { loadProvider, PROVIDER_LOADERS, type ProviderModule } from "../../src/providers/registry.ts";
import { tempFolder } from "../support/temp-folder.ts";

const module: ProviderModule = { openProvider: openLocal };

async function errorOf(call: Promise<unknown>): Promise<SyncError> {
  const outcome: unknown = await call.catch((error: unknown) => error);
  if (!(outcome instanceof SyncError)) throw new Error(`no SyncError but ${String(outcome)}`);
  return outcome;
}

function notFound(message: string): Error {
  return Object.assign(new Error(message), { code: "ERR_MODULE_NOT_FOUND" });
}

test("every provider of the table loads", async () => {
  for (const service of Object.keys(PROVIDER_LOADERS)) expect(typeof (await loadProvider(service))).toBe("function");
  expect(await loadProvider("local")).toBe(openLocal);
});

test("a service without a provider is told, and no name of Object's reaches through", async () => {
  expect(await errorOf(loadProvider("dropbox"))).toMatchObject({
    code: "provider_unsupported",
    message: "this version has no provider of that name; it has: s3, gdrive, local",
  });
  for (const service of ["ftp", "", "constructor", "__proto__", "toString"]) {
    expect(await errorOf(loadProvider(service)), service).toMatchObject({ code: "provider_unsupported" });
  }
});

test("a load that failed is tried again", async () => {
  let loads = 0;
  const loaders = {
    flaky: async () => {
      if (++loads === 1) throw notFound("Cannot find package '@aws-sdk/client-s3' imported from s3-provider.ts");
      return module;
    },
  };
  expect((await errorOf(loadProvider("flaky", loaders))).code).toBe("sdk_missing");
  expect(await loadProvider("flaky", loaders)).toBe(openLocal);
});

describe("a package that is not installed is named with the way to install it", () => {
  for (const [message, name] of [
    ["Cannot find package '@aws-sdk/client-s3' imported from /app/src/providers/s3/control.ts", "@aws-sdk/client-s3"],
    ["Cannot find package 'googleapis' imported from /app/src/drive.ts", "googleapis"],
    ["Cannot find module '@smithy/signature-v4/dist/index.js' from '/app/src/sign.ts'", "@smithy/signature-v4"],
    [
      'Import "@aws-sdk/client-s3" not a dependency\n  hint: run `deno add npm:@aws-sdk/client-s3`',
      "@aws-sdk/client-s3",
    ],
    ['Could not find "npm:googleapis@188/build" in the cache', "googleapis"],
  ] as const) {
    test(`${name}: ${message.slice(0, 24)}`, async () => {
      const error = await errorOf(loadProvider("s3", { s3: () => Promise.reject(notFound(message)) }));
      expect(error).toMatchObject({ code: "sdk_missing", details: { package: name } });
      expect(error.message).toContain(`needs the package ${name},`);
      expect(error.message).toContain("bun add @aws-sdk/client-s3 @smithy/signature-v4 (then restart)");
    });
  }

  test("as this runtime itself reports it", async () => {
    const folder = tempFolder();
    writeFileSync(
      join(folder, "provider.ts"),
      'import { client } from "@no-such-scope/no-such-sdk/sub";\nexport const openProvider = client;\n',
    );
    mkdirSync(join(folder, "node_modules"));
    const error = await errorOf(
      loadProvider("s3", { s3: () => import(join(folder, "provider.ts")) as Promise<ProviderModule> }),
    );
    expect(error).toMatchObject({ code: "sdk_missing", details: { package: "@no-such-scope/no-such-sdk" } });
  });
});

test("a module of our own that is missing or broken is our defect, not a missing package", async () => {
  for (const failure of [
    notFound("Cannot find module './lost.ts' from 'registry.ts'"),
    notFound("Cannot find module 'file:///app/lost.ts'"),
    notFound("Cannot find module '/app/lost.ts'"),
    new TypeError("x is undefined"),
  ]) {
    expect(await errorOf(loadProvider("s3", { s3: () => Promise.reject(failure) })), failure.message).toMatchObject({
      code: "internal",
      cause: failure,
    });
  }
});

test("a bundle holds every provider, each in a part of its own that is loaded on first use", async () => {
  const build = await Bun.build({
    entrypoints: [join(import.meta.dir, "../../src/providers/registry.ts")],
    target: "bun",
    splitting: true,
  });
  expect(build.success).toBe(true);
  const parts = await Promise.all(
    build.outputs.map(async (output) => ({ kind: output.kind, text: await output.text() })),
  );
  const entry = parts.find((part) => part.kind === "entry-point")?.text ?? "";
  for (const [service, mark] of [
    ["local", "destination.json"],
    ["s3", "ListObjectsV2"],
    ["gdrive", "comfyvn_snapshot"],
  ] as const) {
    expect(
      parts.some((part) => part.text.includes(mark)),
      service,
    ).toBe(true);
    expect(entry.includes(mark), `${service} in the entry`).toBe(false);
  }
});
