/** Files hashed between two looks at what else is to be done. */
const JOB_FILES_MAX = 512;

/** Some files of one folder to be hashed; plain data, so that another thread can be told. */
export interface HashJob {
  /** Native path of the folder with its last separator: `folder + name` is a file. */
  readonly folder: string;
  /** What the record calls the folder. */
  readonly key: string;
  /** Place of the record among those of the folder. */
  readonly part: number;
  /** Joined by NUL. */
  readonly names: string;
  /** Records that may know some of the files. */
  readonly known: readonly Uint8Array<ArrayBuffer>[];
  /** When the job was given, nanoseconds since the epoch. */
  readonly nowNs: bigint;
  /** True for a large file alone. False: a large file is only measured, to be hashed by a job of its own. */
  readonly takesLarge: boolean;
}

export interface HashAnswer {
  /** A record of the job's files; undefined when the only known one holds as it is. */
  readonly record: Uint8Array<ArrayBuffer> | undefined;
  /** Files whose known hash holds. */
  readonly hits: number;
}

/** Each native folder of `files` and the places of its files in the list. Symlinks may have led several paths into one. */
export function byFolder(files: readonly { readonly folder: string }[]): Map<string, number[]> {
  const folders = new Map<string, number[]>();
  let last: string | undefined;
  let group: number[] = [];
  for (const [index, { folder }] of files.entries()) {
    // Files of a folder mostly come one after another.
    if (folder !== last) {
      last = folder;
      group = folders.get(folder) ?? [];
      folders.set(folder, group);
    }
    group.push(index);
  }
  return folders;
}

/** The pieces of a folder that make one job each. */
export function inParts(indices: readonly number[]): readonly (readonly number[])[] {
  if (indices.length <= JOB_FILES_MAX) return [indices];
  const parts: (readonly number[])[] = [];
  for (let start = 0; start < indices.length; start += JOB_FILES_MAX) {
    parts.push(indices.slice(start, start + JOB_FILES_MAX));
  }
  return parts;
}
