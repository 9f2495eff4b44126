import type { Files } from "../platform/contract.ts";

const KIB = 1024;

/** Sample assets as a studio has them: path and size, bytes. What is in them does not matter to a mirror. */
const ASSETS: readonly (readonly [string, number])[] = [
  ...numbered("assets/backgrounds/scene-", ".png", 10, 24 * KIB),
  ...numbered("assets/characters/mika/pose-", ".png", 8, 9 * KIB),
  ...numbered("assets/music/track-", ".ogg", 3, 60 * KIB),
  ...numbered("assets/voice/ミカ-", ".ogg", 12, 3 * KIB),
  ...numbered("scripts/chapter-", ".rpy", 6, 2 * KIB),
  ["assets/ui/empty.json", 0],
];

/** One of them, which the demo deletes and restores. */
export const LOST_ASSET = "assets/characters/mika/pose-1.png";

function numbered(start: string, end: string, count: number, bytes: number): (readonly [string, number])[] {
  return Array.from({ length: count }, (_, index) => [`${start}${index + 1}${end}`, bytes + index * 137] as const);
}

/** Fills `root` with sample assets and the settings of a mirror in the folder `mirror`, flags on. */
export async function writeDemoWorkspace(files: Files, root: string, mirror: string): Promise<void> {
  for (const [path, bytes] of ASSETS) {
    await files.writeAtomic(files.join(root, ...path.split("/")), crypto.getRandomValues(new Uint8Array(bytes)));
  }
  const settings = {
    features: { enable_cloud_sync: true, enable_cloud_sync_local: true },
    sync: { local: { path: mirror } },
  };
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  await files.writeAtomic(files.join(root, "config", "comfyvn.json"), new TextEncoder().encode(text));
}
