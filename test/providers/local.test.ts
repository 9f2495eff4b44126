import { describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../src/core/errors.ts";
import type { Files } from "../../src/platform/contract.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { someBytes, sourceOf } from "../../src/providers/conformance/sources.ts";
import type { Provider, PutOptions } from "../../src/providers/contract.ts";
import { openProvider } from "../../src/providers/local/local-provider.ts";
import { faultyFiles, systemFault } from "../support/faulty-files.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { sha256 } from "./conformance-mutants/mutant.ts";

const { files, newHasher } = bunPlatform();
const DAY_S = 24 * 3_600;

/** A destination, a place to remember and what lies outside, each in a folder of its own. */
function bench() {
  const base = tempFolder();
  const [nas, state, outside] = ["nas", "state", "outside"].map((name) => join(base, name)) as [string, string, string];
  for (const folder of [nas, outside]) mkdirSync(folder);
  const open = (using: Files = files) => openProvider({ path: nas }, { files: using, newHasher, stateFolder: state });
  return { base, nas, state, outside, open };
}

async function put(
  provider: Provider,
  key: string,
  content: string | Uint8Array = "content",
  options: Partial<PutOptions> = {},
) {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return await provider.put(key, sourceOf(bytes), { sha256: sha256(bytes), ...options });
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  const outcome: unknown = await call.then(
    () => "resolved",
    (error: unknown) => error,
  );
  return outcome instanceof SyncError ? outcome.code : String(outcome);
}

async function keys(provider: Provider, prefix = ""): Promise<string[]> {
  const listed: string[] = [];
  for await (const info of provider.list(prefix)) listed.push(info.key);
  return listed.toSorted();
}

/** Every path below `folder`, folders with a slash. */
function tree(folder: string): string[] {
  return (
    readdirSync(folder, { recursive: true, withFileTypes: true }) as {
      name: string;
      parentPath: string;
      isDirectory(): boolean;
    }[]
  )
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1) + (entry.isDirectory() ? "/" : ""))
    .toSorted();
}

describe("opening", () => {
  test("a folder that is not there is not made: it is not mounted", async () => {
    const { base } = bench();
    const path = join(base, "not-mounted");
    const error: unknown = await openProvider({ path }, { files, newHasher }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "provider_container_missing" });
    expect((error as SyncError).message).toContain("mount the disk or create the folder");
    expect(existsSync(path)).toBe(false);
  });

  test("a path that is missing, relative or no folder is a setting to be changed", async () => {
    const { base } = bench();
    writeFileSync(join(base, "file"), "");
    for (const path of [undefined, "", 7, "relative/folder", "./x", "../x", "~/nas", "/nas\0", join(base, "file")]) {
      expect(await codeOf(openProvider({ path }, { files, newHasher })), String(path)).toBe("provider_config");
    }
    expect(await codeOf(openProvider({ path: base }, { newHasher }))).toBe("provider_unsupported");
  });

  test("a trailing slash and a link to the folder lead to the same destination", async () => {
    const { base, nas, open } = bench();
    symlinkSync(nas, join(base, "link"));
    const { identity } = await open();
    for (const path of [`${nas}/`, join(base, "link")]) {
      expect((await openProvider({ path }, { files, newHasher })).identity).toBe(identity);
    }
  });

  test("reading writes nothing, neither at the destination nor on this machine", async () => {
    const { base, open } = bench();
    const provider = await open();
    await keys(provider);
    await provider.stat("a/b");
    await provider.get("a/b");
    await provider.delete(["a/b"]);
    expect(tree(base)).toEqual(["nas/", "outside/"]);
  });
});

describe("a disk that is not mounted is never an empty destination", () => {
  test("in the middle of a run", async () => {
    const { base, nas, open } = bench();
    const provider = await open();
    await put(provider, "a/b");
    renameSync(nas, join(base, "unmounted"));
    mkdirSync(nas);
    for (const call of [
      () => provider.stat("a/b"),
      () => provider.get("a/b"),
      () => keys(provider),
      () => put(provider, "a/c"),
      () => provider.copy("a/b", "a/c", {}),
    ]) {
      expect(await codeOf(call())).toBe("provider_container_missing");
    }
    expect((await provider.delete(["a/b"]))[0]?.error?.code).toBe("provider_container_missing");
    expect(tree(nas)).toEqual([]);
  });

  test("at the next run, when this machine has used it before", async () => {
    const { base, nas, state, open } = bench();
    await put(await open(), "a/b");
    renameSync(nas, join(base, "unmounted"));
    mkdirSync(nas);
    const error: unknown = await open().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "provider_container_missing" });
    expect((error as SyncError).message).toContain(state);
    rmSync(nas, { recursive: true });
    renameSync(join(base, "unmounted"), nas);
    expect(await keys(await open())).toEqual(["a/b"]);
  });

  test("when another disk that is a destination too is mounted there", async () => {
    const { base, nas, open } = bench();
    await put(await open(), "a/b");
    renameSync(nas, join(base, "first"));
    mkdirSync(nas);
    await put(await openProvider({ path: nas }, { files, newHasher }), "other");
    expect(await codeOf(open())).toBe("provider_container_missing");
  });

  test("but a destination that another machine has begun is used as it is", async () => {
    const { base, nas, open } = bench();
    await put(await openProvider({ path: nas }, { files, newHasher, stateFolder: join(base, "other machine") }), "a");
    await put(await open(), "b");
    expect(await keys(await open())).toEqual(["a", "b"]);
  });

  test("and after the record was deleted on purpose the new folder is used", async () => {
    const { base, nas, state, open } = bench();
    await put(await open(), "a/b");
    renameSync(nas, join(base, "retired"));
    mkdirSync(nas);
    rmSync(state, { recursive: true });
    await put(await open(), "fresh");
    expect(await keys(await open())).toEqual(["fresh"]);
  });
});

describe("symlinks inside the destination", () => {
  test("are never followed by any verb", async () => {
    const { nas, outside, open } = bench();
    writeFileSync(join(outside, "secret"), "secret");
    symlinkSync(outside, join(nas, "folder-link"));
    symlinkSync(join(outside, "secret"), join(nas, "file-link"));
    symlinkSync(join(outside, "nothing"), join(nas, "broken-link"));
    const provider = await open();
    for (const key of [
      "folder-link/secret",
      "folder-link/new",
      "folder-link/deep/new",
      "file-link",
      "broken-link",
      "broken-link/new",
      "file-link/new",
    ]) {
      expect(await codeOf(put(provider, key)), key).toBe("key_collision");
      expect(await provider.stat(key), key).toBeUndefined();
      expect(await provider.get(key), key).toBeUndefined();
      expect(await provider.delete([key])).toEqual([{ key }]);
      expect(await codeOf(provider.copy(key, "copied", {})), key).toBe("object_missing");
    }
    expect(await keys(provider)).toEqual([]);
    expect(await keys(provider, "folder-link/")).toEqual([]);
    expect(tree(outside)).toEqual(["secret"]);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
    expect(lstatSync(join(nas, "file-link")).isSymbolicLink()).toBe(true);
  });

  test("that take a folder's place while a file is written lead nothing out", async () => {
    const { nas, outside, open } = bench();
    const provider = await open();
    await put(provider, "folder/kept");
    const bytes = someBytes(100, 1);
    const swap = sourceOf(bytes, {
      beforeRead: () => {
        renameSync(join(nas, "folder"), join(nas, "moved"));
        symlinkSync(outside, join(nas, "folder"));
      },
    });
    expect(await codeOf(provider.put("folder/new", swap, { sha256: sha256(bytes) }))).toBe("key_collision");
    expect(tree(outside)).toEqual([]);
  });

  test("keys that point outside read, list and delete nothing there", async () => {
    const { base, outside, open } = bench();
    writeFileSync(join(outside, "secret"), "secret");
    const provider = await open();
    for (const key of ["../outside/secret", "a/../../outside/secret", join(outside, "secret"), "..", "."]) {
      expect(await codeOf(put(provider, key)), key).toBe("key_invalid");
      expect(await provider.get(key), key).toBeUndefined();
      expect(await provider.stat(key), key).toBeUndefined();
      expect(await provider.delete([key])).toEqual([{ key }]);
      expect(await keys(provider, key), key).toEqual([]);
      expect(await keys(provider, `${key}/`), key).toEqual([]);
    }
    expect(tree(base).filter((path) => path.startsWith("outside"))).toEqual(["outside/", "outside/secret"]);
  });
});

describe("files that are not objects", () => {
  test("our own folder, temp files, links, sockets and names that are no Unicode are not listed", async () => {
    const { nas, open } = bench();
    const provider = await open();
    await put(provider, "shown/file");
    writeFileSync(join(nas, "shown", ".file.0123456789abcdef.tmp"), "part");
    writeFileSync(join(nas, ".top.0123456789abcdef.tmp"), "part");
    writeFileSync(Buffer.concat([Buffer.from(`${nas}/shown/`), Buffer.from([0xff, 0xfe])]), "latin");
    const socket = Bun.listen({ unix: join(nas, "shown", "socket"), socket: { data: () => undefined } });
    try {
      expect(await keys(provider)).toEqual(["shown/file"]);
      expect(await codeOf(put(provider, "shown/socket"))).toBe("key_collision");
    } finally {
      socket.stop();
    }
  });

  test("what a killed writer left is removed by the next put into its folder, once it is a day old", async () => {
    const { nas, open } = bench();
    mkdirSync(join(nas, "a"));
    mkdirSync(join(nas, "b"));
    const names = { old: ".x.00000000000000aa.tmp", young: ".x.00000000000000bb.tmp", foreign: "old.tmp" };
    const longAgo = Date.now() / 1000 - DAY_S - 60;
    for (const folder of ["a", "b"]) {
      for (const name of Object.values(names)) writeFileSync(join(nas, folder, name), "part");
      for (const name of [names.old, names.foreign]) utimesSync(join(nas, folder, name), longAgo, longAgo);
    }
    const provider = await open();
    expect(await keys(provider)).toEqual(["a/old.tmp", "b/old.tmp"]);
    await put(provider, "a/x");
    expect(readdirSync(join(nas, "a")).toSorted()).toEqual([names.young, "old.tmp", "x"].toSorted());
    expect(readdirSync(join(nas, "b"))).toHaveLength(3);
  });
});

describe("writing", () => {
  test("what killed writers left in a folder does not keep a file from taking the folder's name", async () => {
    const { nas, open } = bench();
    const provider = await open();
    await put(provider, "snap/a/b/c", "1");
    writeFileSync(join(nas, "snap/a/b/.c.0123456789abcdef.tmp"), "half");
    mkdirSync(join(nas, "snap/a/made-by-a-killed-writer"));
    await provider.delete(["snap/a/b/c"]);
    await put(provider, "snap/a", "2");
    expect(readFileSync(join(nas, "snap/a"), "utf8")).toBe("2");
  });

  test("a folder with a file of somebody else's in it is not cleared for a file of its name", async () => {
    const { nas, open } = bench();
    const provider = await open();
    mkdirSync(join(nas, "a/b"), { recursive: true });
    writeFileSync(join(nas, "a/.x.0123456789abcdef.tmp"), "half");
    writeFileSync(join(nas, "a/b/.DS_Store"), "not ours");
    expect(await codeOf(put(provider, "a"))).toBe("key_collision");
    expect(tree(join(nas, "a"))).toContain("b/.DS_Store");
    expect(tree(join(nas, "a"))).toContain(".x.0123456789abcdef.tmp");
  });

  test("a folder behind a link is not cleared for a file of its name", async () => {
    const { nas, outside, open } = bench();
    const provider = await open();
    mkdirSync(join(outside, "a"));
    writeFileSync(join(outside, "a/.x.0123456789abcdef.tmp"), "theirs");
    symlinkSync(outside, join(nas, "link"));
    expect(await codeOf(put(provider, "link/a"))).toBe("key_collision");
    expect(existsSync(join(outside, "a/.x.0123456789abcdef.tmp"))).toBe(true);
  });

  test("a disk that fills up leaves neither the object nor a temp file, and says so", async () => {
    const { nas, open } = bench();
    await put(await open(), "a/old", "old");
    const before = tree(nas);
    let written = 0;
    const filling: Files = {
      ...files,
      createAtomic: async (path, options) => {
        const writer = await files.createAtomic(path, options);
        return {
          write: async (chunk) => {
            await writer.write(chunk.subarray(0, chunk.length / 2));
            if (++written === 2) throw systemFault("disk_full", "ENOSPC");
            await writer.write(chunk.subarray(chunk.length / 2));
          },
          writeAt: (offset, bytes) => writer.writeAt(offset, bytes),
          truncate: (length) => writer.truncate(length),
          commit: () => writer.commit(),
          abort: () => writer.abort(),
        };
      },
    };
    const provider = await open(filling);
    const error: unknown = await put(provider, "a/old", someBytes(3_000_000, 2)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "disk_full", retryable: false });
    expect(written).toBe(2);
    expect(tree(nas)).toEqual(before);
    expect(readFileSync(join(nas, "a", "old"), "utf8")).toBe("old");
  });

  for (const [system, code, retryable] of [
    ["EACCES", "provider_denied", false],
    ["EROFS", "provider_denied", false],
    ["EIO", "provider_unavailable", true],
    ["ESTALE", "provider_unavailable", true],
    ["EINVAL", "key_invalid", false],
    ["EISDIR", "key_collision", false],
    ["EFOO", "provider_error", false],
  ] as const) {
    test(`${system} at the destination is ${code}, not a fault of the user's file`, async () => {
      const { open } = bench();
      await put(await open(), "first");
      let fired = 0;
      const failing = faultyFiles(files, (call) =>
        call === "createAtomic" && ++fired > 0 ? systemFault("write_failed", system) : undefined,
      );
      const error: unknown = await put(await open(failing), "a/b").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, retryable });
      expect(fired).toBe(1);
    });
  }

  test("a put that fails leaves no folder behind", async () => {
    const { nas, open } = bench();
    const provider = await open();
    await put(provider, "there/file");
    const before = tree(nas);
    for (const key of ["new/folder/file", "there/new/file"]) {
      expect(await codeOf(put(provider, key, "other bytes", { sha256: "0".repeat(64) }))).toBe("content_mismatch");
    }
    expect(tree(nas)).toEqual(before);
  });

  test("a folder in a file's place and a file in a folder's place are told, and nothing is lost", async () => {
    const { nas, open } = bench();
    const provider = await open();
    await put(provider, "a/b/c", "deep");
    for (const key of ["a", "a/b", "a/b/c/d", "a/b/c/d/e"])
      expect(await codeOf(put(provider, key)), key).toBe("key_collision");
    expect(await codeOf(provider.copy("a/b/c", "a/b", {}))).toBe("key_collision");
    expect(readFileSync(join(nas, "a", "b", "c"), "utf8")).toBe("deep");
    expect(await keys(provider)).toEqual(["a/b/c"]);
  });

  test("an overwrite at once has a time that is later by more than a coarse clock's step", async () => {
    const { nas, open } = bench();
    const provider = await open();
    const times: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      await put(provider, "key", `turn ${turn}`);
      times.push(lstatSync(join(nas, "key")).mtimeMs);
    }
    for (const [index, time] of times.slice(1).entries())
      expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(1_999);
  });

  test("a mount without locks refuses conditions and takes everything else", async () => {
    const { open } = bench();
    let asked = 0;
    const lockless = faultyFiles(files, (call) =>
      call === "lock" && ++asked > 0 ? systemFault("write_failed", "ENOLCK") : undefined,
    );
    const provider = await open(lockless);
    await put(provider, "plain");
    expect(await codeOf(put(provider, "lease", "x", { precondition: { kind: "absent" } }))).toBe(
      "provider_unsupported",
    );
    expect(await keys(provider)).toEqual(["plain"]);
    expect(asked).toBe(2);
  });
});

describe("reading and deleting", () => {
  test("an object that is overwritten while it is read is read whole as it was", async () => {
    const { open } = bench();
    const provider = await open();
    const [old, fresh] = [someBytes(2_000_000, 3), someBytes(2_000_000, 4)];
    await put(provider, "key", old);
    const content = await provider.get("key");
    await put(provider, "key", fresh);
    expect(sha256(await new Response(content?.body as ReadableStream<Uint8Array<ArrayBuffer>>).bytes())).toBe(
      sha256(old),
    );
  });

  test("a delete takes the folders it empties along, and never the destination", async () => {
    const { nas, open } = bench();
    const provider = await open();
    for (const key of ["a/b/c/one", "a/b/two", "top"]) await put(provider, key);
    writeFileSync(join(nas, "a", "foreign"), "not ours to delete");
    await provider.delete(["a/b/c/one"]);
    expect(existsSync(join(nas, "a", "b", "c"))).toBe(false);
    expect(existsSync(join(nas, "a", "b"))).toBe(true);
    await provider.delete(["a/b/two", "top"]);
    expect(tree(nas).filter((path) => !path.startsWith(".comfyvn-sync"))).toEqual(["a/", "a/foreign"]);
  });

  test("a folder that cannot be removed does not make the delete fail", async () => {
    const { nas, open } = bench();
    let fired = 0;
    const stuck = faultyFiles(files, (call) =>
      call === "removeEmptyFolder" && ++fired > 0 ? systemFault("write_failed", "EBUSY") : undefined,
    );
    const provider = await open(stuck);
    await put(provider, "a/b");
    expect(await provider.delete(["a/b"])).toEqual([{ key: "a/b" }]);
    expect(fired).toBe(1);
    expect(tree(join(nas, "a"))).toEqual([]);
  });

  test("an unreadable folder ends a listing with an error", async () => {
    const { nas, open } = bench();
    await put(await open(), "a/b");
    const unreadable = faultyFiles(files, (call, path) =>
      call === "list" && path === join(nas, "a") ? systemFault("file_unreadable", "EACCES") : undefined,
    );
    expect(await codeOf(keys(await open(unreadable)))).toBe("provider_denied");
  });
});
