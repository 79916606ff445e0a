/** A bundle that the reader has: .tar.gz or .tar, read as it is unpacked. Nothing leaves the browser. */
import { archiveFiles, type ArchiveFiles } from '@highwater/config/bundle/archive.ts';

export async function ownFiles(file: Blob): Promise<ArchiveFiles> {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const isPacked = first === 0x1f && second === 0x8b;
  const stream = file.stream();
  return archiveFiles(isPacked ? stream.pipeThrough(new DecompressionStream('gzip')) : stream);
}
