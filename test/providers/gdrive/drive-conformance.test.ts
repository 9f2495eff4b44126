import { afterAll } from "bun:test";
import { DriveFaultScript } from "../../fakes/drive/drive-faults.ts";
import { DriveFake } from "../../fakes/drive/drive-fake.ts";
import { conformanceTests } from "../../support/conformance-tests.ts";
import { KIB, newHasher, openOn } from "./drive-setup.ts";

const fake = await DriveFake.start();
afterAll(() => fake.stop());
const stranger = fake.addAccount("stranger", "elsewhere");
const manifests = fake.addFolder({ name: "manifests" });

await conformanceTests(
  "gdrive on a strict fake",
  async () => openOn(fake, { settings: { manifest_parent_id: manifests.id } }),
  {
    newHasher,
    largeObjectBytes: [200 * KIB, 300 * KIB, 1_100 * KIB],
    secrets: [fake.account.file.private_key, fake.account.file.private_key_id],
    openMissingContainer: async () => openOn(fake, { settings: { parent_id: "1AbCdEfNoSuchFolder" } }),
    openDenied: async () =>
      openOn(fake, {
        settings: { credentials: { ...fake.account.file, private_key_id: stranger.file.private_key_id } },
      }),
    beginOutage: async () => {
      const before = fake.script;
      const script = new DriveFaultScript([
        { on: "any", nth: 1, times: 1_000, fault: { kind: "server_error", status: 503, when: "before", body: "json" } },
      ]);
      fake.script = script;
      return { requests: () => script.fired.length, end: async () => void (fake.script = before) };
    },
  },
);
