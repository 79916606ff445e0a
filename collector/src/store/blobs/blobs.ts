/** What is big and never changes, by name. A folder today, an S3-compatible store later. */
export interface Blobs {
  /**
   * Keeps `bytes` under `name` durably before it resolves; repeating it does no harm.
   * Throws BlobConflictError when other bytes are there already, DiskFullError when there is no room.
   */
  putIfAbsent(name: string, bytes: Uint8Array): Promise<void>;
  /** Undefined when there is none. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Bytes [start, end) of it; fewer at its end. */
  range(name: string, start: number, end: number): Promise<Uint8Array | undefined>;
}

/** A name that never changes would have to: something is badly wrong, so nothing is written. */
export class BlobConflictError extends Error {
  override name = 'BlobConflictError';
}
