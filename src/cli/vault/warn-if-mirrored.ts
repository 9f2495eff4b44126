import type { CommandLine } from "../command-line.ts";

/** Such a name is excluded from every mirror, whatever a request includes. */
const NEVER_MIRRORED = /comfyvn\.secrets/i;

/** Warns of a file with secrets that lies in the workspace, from where a run would send it to the destination. */
export async function warnIfMirrored(cli: CommandLine, root: string, path: string): Promise<void> {
  const { files } = cli.platform;
  const top = await files.realPath(root);
  let place = await files.realPath(path);
  while (place !== undefined && place !== top && files.dirname(place) !== place) place = files.dirname(place);
  if (place === undefined || place !== top || NEVER_MIRRORED.test(files.basename(path))) return;
  cli.note(
    "warning: this file holds secrets and lies in the workspace, from where it may be mirrored; move it out of there",
  );
}
