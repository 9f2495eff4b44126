/** Numbers of the ZIP format, as PKWARE's APPNOTE.TXT 6.3.10 gives them. */
export const SIGNATURE = {
  localHeader: 0x0403_4b50,
  centralHeader: 0x0201_4b50,
  dataDescriptor: 0x0807_4b50,
  zip64End: 0x0606_4b50,
  zip64Locator: 0x0706_4b50,
  end: 0x0605_4b50,
} as const;

export const LENGTH = { localHeader: 30, centralHeader: 46, zip64End: 56, zip64Locator: 20, end: 22 } as const;

export const METHOD = { stored: 0, deflated: 8 } as const;

export const FLAG = {
  encrypted: 1 << 0,
  /** Sizes and CRC follow the data instead of standing in the local header. */
  descriptor: 1 << 3,
  patched: 1 << 5,
  strongEncryption: 1 << 6,
  utf8: 1 << 11,
  masked: 1 << 13,
} as const;

export const EXTRA = { zip64: 0x0001, unixTime: 0x5455, unicodePath: 0x7075 } as const;

/** Upper byte of "version made by": the system whose file attributes an entry has. */
export const HOST = { dos: 0, unix: 3, darwin: 19 } as const;

/** Says "look into the Zip64 field" in fields of four and of two bytes. */
export const IN_ZIP64 = 0xffff_ffff;
export const IN_ZIP64_SHORT = 0xffff;

/** What is read, because a directory is held in memory, and so what is written: an archive nobody could restore is none. */
export const ARCHIVE_LIMITS = { entriesMax: 2_000_000, directoryBytesMax: 268_435_456 } as const;

/** Types of a Unix mode. */
export const MODE = { type: 0o170_000, regular: 0o100_000, folder: 0o040_000 } as const;

/** Where the manifest stands inside an archive. Everything below the folder is about the archive, not the workspace. */
export const METADATA_FOLDER = "__meta__";
export const MANIFEST_ENTRY = `${METADATA_FOLDER}/cloud_sync/manifest.json`;
