import { describe, expect, test } from "bun:test";
import { Check } from "typebox/value";
import type { ProductEvent } from "../../src/core/events.ts";
import { HOOK_NAMES, HOOKS, requireHookName } from "../../src/hooks/catalogue.ts";
import { hookOfEvent } from "../../src/hooks/hook-of-event.ts";

test.each(HOOK_NAMES)("the example of %s fits its schema, with no field that the schema does not know", (name) => {
  const { payload, example } = HOOKS[name];
  expect(Check(payload, example)).toBe(true);
  expect(Object.keys(example)).toEqual(Object.keys(payload.properties));
});

describe("what the product emits becomes a payload of the catalogue", () => {
  const sync = { service: "s3", snapshot: "nightly", paths: ["assets"], durationMs: 5 };
  const events: readonly ProductEvent[] = [
    { ...sync, type: "sync.dry_run", uploads: 1, deletes: 2, unchanged: 3, retained: 4, skipped: 5, bytes: 6 },
    {
      type: "sync.progress",
      dryRun: false,
      service: "s3",
      snapshot: "nightly",
      phase: "scan",
      filesDone: 1,
      filesTotal: 2,
      bytesDone: 3,
      bytesTotal: 4,
    },
    { ...sync, type: "sync.run", status: "partial", uploads: 1, deletes: 2, skipped: 3, bytes: 4, errors: 5 },
    { type: "backup.create", name: "a.zip", paths: ["data"], files: 1, bytes: 2, removed: 3, durationMs: 4 },
    { type: "backup.restore", paths: [], bytes: 7, name: "a.zip", restored: 1, skipped: 2, durationMs: 3 },
  ];
  test.each(events)("$type", (event) => {
    const hook = hookOfEvent(event, 7.5);
    if (hook === undefined) throw new Error("no hook");
    const { payload } = HOOKS[hook.name];
    expect(Object.keys(hook.data).toSorted()).toEqual(Object.keys(payload.properties).toSorted());
    expect(Check(payload, hook.data)).toBe(true);
  });

  test("an audit of the vault is for the log alone", () => {
    expect(hookOfEvent({ type: "vault.audit", action: "unlock" }, 1)).toBeUndefined();
  });
});

test("an event is known by its name and by its topic; another is refused without being repeated", () => {
  expect(requireHookName("on_backup_created")).toBe("on_backup_created");
  expect(requireHookName("modder.on_backup_created")).toBe("on_backup_created");
  expect(() => requireHookName("on_secret_value")).toThrow(
    "there is no such event; the events are: on_cloud_sync_plan",
  );
  expect(() => requireHookName("on_secret_value")).not.toThrow("on_secret_value");
});
