/**
 * `bun run build:package`: the library as JavaScript and types in dist/lib, which the npm package ships beside src/ for
 * those who cannot import TypeScript. `npm pack` runs it.
 */
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";

const project = dirname(import.meta.dir);

rmSync(join(project, "dist", "lib"), { recursive: true, force: true });
// stdout belongs to npm: `npm pack --json` prints there.
const compiler = Bun.spawn([process.execPath, join(project, "node_modules/.bin/tsc"), "-p", "tsconfig.package.json"], {
  cwd: project,
  stdio: ["ignore", 2, 2],
});
process.exit(await compiler.exited);
