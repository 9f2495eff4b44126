/** A folder of many files is renamed: the store copies, and the wire carries none of their content. */
import { expect, test } from "bun:test";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { Destination } from "../faults/destination.ts";
import { FaultProxy } from "../faults/fault-proxy.ts";
import { createMirror, requireOk } from "../faults/mirror.ts";
import { SeededRandom } from "../faults/seeded-random.ts";
import { type CephRgw, cephRgw } from "../services/ceph-rgw.ts";

const FILES = 2_000;
const TIMEOUT_MS = 180_000;

const rgw = await cephRgw();
if (rgw !== undefined) moveTests(rgw);

function moveTests(server: CephRgw): void {
  test(
    `a renamed folder of ${FILES} files costs no content byte, and every byte is equal afterwards`,
    async () => {
      const proxy = new FaultProxy(server.endpoint);
      await proxy.start();
      const bucket = await server.createBucket();
      const mirror = await createMirror({ server, bucket, endpoint: proxy.endpoint });
      try {
        const random = new SeededRandom(20_261_122);
        let contentBytes = 0;
        for (let n = 0; n < FILES; n++) {
          const bytes = random.bytes(random.integer(1, 4_000));
          contentBytes += bytes.length;
          mirror.write(`assets/scenes/${n % 40}/${n} +ü.png`, bytes);
        }
        requireOk(await mirror.start("assets").ended);
        expect(proxy.sent.summary().bytes).toBe(contentBytes);

        proxy.sent.clear();
        renameSync(join(mirror.root, "assets/scenes"), join(mirror.root, "assets/chapter one"));
        const moved = await mirror.start("assets").ended;
        requireOk(moved);
        expect(moved.answer.summary?.uploads).toHaveLength(FILES);
        expect(proxy.sent.summary().bytes).toBe(0);
        const destination = new Destination(server, mirror);
        await destination.requirePublishedTrue();
        await destination.requireEqual(["assets"]);
      } finally {
        await proxy.close();
        await server.removeBucket(bucket);
        mirror.remove();
      }
    },
    TIMEOUT_MS,
  );
}
