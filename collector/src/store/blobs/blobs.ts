/**
 * What is big and never changes, by name. A folder today, an S3-compatible store later.
 *
 * A name is 4 to 128 characters of `[a-z0-9._-]` that begin with a letter or digit; or a path of 2 to 8 such segments of 1 to 64
 * characters with slashes between, the first of at least 3 characters (what lies under two belongs to names without a slash).
 */
export interface Blobs {
  /**
   * Keeps `bytes` under `name` durably before it resolves; repeating it does no harm.
   * Throws BlobConflictError when other bytes are there already, DiskFullError when there is no room.
   */
  putIfAbsent(name: string, bytes: Uint8Array): Promise<void>;
  /**
   * The one way for something that changes: whoever reads finds the old bytes or the new ones, whole, after a crash too.
   * The new ones are durable when it resolves. Throws DiskFullError when there is no room.
   */
  replace(name: string, bytes: Uint8Array): Promise<void>;
  /** Undefined when there is none. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Bytes [start, end) of it; fewer at its end. */
  range(name: string, start: number, end: number): Promise<Uint8Array | undefined>;
  /** Absent is fine. It may be back after a crash. */
  remove(name: string): Promise<void>;
  /** Removes all whose names begin with `name` and a slash. None is fine. Some may be back after a crash. */
  removeUnder(name: string): Promise<void>;
}

/** A name that never changes would have to: something is badly wrong, so nothing is written. */
export class BlobConflictError extends Error {
  override name = 'BlobConflictError';
  /** Of the blob. */
  readonly blob: string;
  constructor(blob: string) {
    super(`blob ${blob} holds other bytes`);
    this.blob = blob;
  }
}
