import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Comments that switch a check off. Split, so that this file does not find itself. */
const SUPPRESSIONS = [
  ["oxlint", "disable"],
  ["eslint", "disable"],
  ["biome", "ignore"],
  ["@ts", "ignore"],
  ["@ts", "nocheck"],
  ["@ts", "expect-error"],
].map((parts) => parts.join("-"));

/** Every line of `project`'s own code that switches a check off: mend what it says, or change the rule for all. */
export async function findSuppressions(project: string): Promise<string[]> {
  const files = await Array.fromAsync(new Bun.Glob("{src,test,scripts,bench}/**/*.{ts,js,mjs}").scan({ cwd: project }));
  return files.toSorted().flatMap((file) =>
    readFileSync(join(project, file), "utf8")
      .split("\n")
      .flatMap((line, index) =>
        SUPPRESSIONS.filter((comment) => line.includes(comment)).map(
          (comment) => `${file}:${index + 1} holds ${comment}`,
        ),
      ),
  );
}
