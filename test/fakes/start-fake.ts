import { afterEach } from "bun:test";
import { DriveFake } from "./drive/drive-fake.ts";

const running = new Set<DriveFake>();

afterEach(async () => {
  const all = [...running];
  running.clear();
  await Promise.all(all.map((fake) => fake.stop()));
});

/** A fake of its own for one test, stopped after it. */
export async function startFake(): Promise<DriveFake> {
  const fake = await DriveFake.start();
  running.add(fake);
  return fake;
}
