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

/** Files of a list that lie in one native folder. */
export interface FolderFiles {
  readonly folder: string;
  readonly names: readonly string[];
  /** Each file's place in the list. */
  readonly indices: readonly number[];
}

/** `files` by the folder that they lie in. Symlinks may have led several paths into one. */
export function byFolder(
  files: readonly { readonly folder: string; readonly name: string }[],
): Map<string, FolderFiles> {
  const folders = new Map<string, { folder: string; names: string[]; indices: number[] }>();
  let last: { folder: string; names: string[]; indices: number[] } | undefined;
  for (let index = 0; index < files.length; index++) {
    const file = files[index];
    if (file === undefined) continue;
    const { folder, name } = file;
    // Files of a folder mostly come one after another.
    if (folder !== last?.folder) {
      last = folders.get(folder);
      if (last === undefined) folders.set(folder, (last = { folder, names: [], indices: [] }));
    }
    last.names.push(name);
    last.indices.push(index);
  }
  return folders;
}

/** The pieces of a folder that make one job each. */
export function inParts(files: FolderFiles): FolderFiles[] {
  const { folder, names, indices } = files;
  if (names.length <= JOB_FILES_MAX) return [files];
  const parts: FolderFiles[] = [];
  for (let start = 0; start < names.length; start += JOB_FILES_MAX) {
    const end = start + JOB_FILES_MAX;
    parts.push({ folder, names: names.slice(start, end), indices: indices.slice(start, end) });
  }
  return parts;
}
