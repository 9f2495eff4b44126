import type { NewFile, TreeWriter } from "../platform/contract.ts";
import type { ContentItem, ContentSink, LargeSink } from "./read-contents.ts";

/** Whoever restores can read and write what they restored. */
const MODE_LEAST = 0o600;

/** Puts files into the workspace, each beside its place until it is whole. */
export class RestoreSink implements ContentSink {
  constructor(private readonly writer: TreeWriter) {}

  whole(item: ContentItem, bytes: Uint8Array): void | Promise<void> {
    const file = this.#create(item);
    try {
      file.write(bytes);
    } catch (error) {
      file.abort();
      throw error;
    }
    return finish(item, file);
  }

  open(item: ContentItem): LargeSink {
    const file = this.#create(item);
    return { write: (chunk) => file.write(chunk), end: () => finish(item, file), drop: () => file.abort() };
  }

  #create({ entry, expected }: ContentItem): NewFile {
    const { path, mode, mtime } = entry;
    const options = { mode: mode === undefined ? undefined : mode | MODE_LEAST, mtime: expected?.mtime ?? mtime };
    return this.writer.create(path, options);
  }
}

/**
 * What replaces a file is on the disk before the old one goes. A new file is not waited for: as with any copy the system
 * writes it within seconds, and until the archive is removed nothing depends on it.
 */
function finish({ replaces }: ContentItem, file: NewFile): void | Promise<void> {
  if (replaces) return replace(file);
  file.commit();
}

async function replace(file: NewFile): Promise<void> {
  try {
    await file.flush();
  } catch (error) {
    file.abort();
    throw error;
  }
  file.commit();
}
