/** The tar in a file or an answer, inflated where it is packed: told by its first byte, not by its name. */
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** Few hand-overs between threads and streams. */
const CHUNK_BYTES = 1_048_576;

type Bytes = Uint8Array<ArrayBuffer>;

/** @param packed a `.tar` or a `.tar.gz`. Whoever lets go of what is returned lets go of it. */
export async function inflated(packed: Readable): Promise<ReadableStream<Bytes>> {
  const chunks = packed.iterator();
  const first = (await chunks.next()) as IteratorResult<Bytes, undefined>;
  const all = joined(first, chunks);
  // No name in a bundle begins with this byte.
  if (first.done || first.value[0] !== 0x1f) return ReadableStream.from(all);
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // What goes wrong in one of them is told by the last.
  pipeline(all, gunzip).catch((error: unknown) => gunzip.destroy(error as Error));
  return ReadableStream.from(gunzip as AsyncIterable<Bytes>);
}

async function* joined(
  first: IteratorResult<Bytes, undefined>,
  chunks: AsyncIterator<unknown>,
): AsyncGenerator<Bytes, undefined> {
  if (first.done) return;
  yield first.value;
  yield* { [Symbol.asyncIterator]: () => chunks } as AsyncIterable<Bytes>;
}
