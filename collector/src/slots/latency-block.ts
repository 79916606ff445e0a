/**
 * A block of the view `latency`: one hour of a service (subject `SERVICE REGION`) or of a node (`SERVICE/NODE REGION`) as one
 * region saw it. All its methods are in one block: a row and a name of their own in the store would take more room than they
 * do, and names are never forgotten there. Sorted by name, so that the same facts give the same bytes.
 */
import { compareBytewise } from '@highwater/config/proof/bytes.ts';
import type { Sketch } from './latency-sketch.ts';
import { ByteReader, ByteWriter } from './block-bytes.ts';

/** The name of what every answer took; no method is called so. */
export const ALL = '*';

/** Of a service's methods `METHOD`; of a node's `CHECK METHOD`, since two checks may ask the same. */
export type SeriesName = string;

export interface Series {
  readonly sketch: Sketch;
  /** How often a fault came in place of a time. */
  readonly faults: ReadonlyMap<string, number>;
}

export function latencySubject(subject: string, region: string): string {
  return `${subject} ${region}`;
}

/** The name of a check's method in the block of its node. */
export function checkSeries(check: string, method: string): SeriesName {
  return `${check} ${method}`;
}

const writer = new ByteWriter();

const sorted = <T>(of: ReadonlyMap<string, T>): Iterable<readonly [string, T]> =>
  of.size < 2 ? of : [...of].sort(([a], [b]) => compareBytewise(a, b));

/** Empty series are left out; a block without any has no bytes. */
export function encodeLatency(block: ReadonlyMap<SeriesName, Series>): Uint8Array {
  for (const [name, { sketch, faults }] of sorted(block)) {
    if (sketch.length === 0 && faults.size === 0) continue;
    writer.text(name);
    writer.number(sketch.length);
    writer.bytes(sketch);
    writer.number(faults.size);
    for (const [fault, count] of sorted(faults)) {
      writer.text(fault);
      writer.number(count);
    }
  }
  return writer.take();
}

/**
 * Sketches are views of `block`.
 * Throws RangeError for bytes that encodeLatency did not write.
 */
export function decodeLatency(block: Uint8Array): Map<SeriesName, Series> {
  const reader = new ByteReader(block);
  const read = new Map<SeriesName, Series>();
  let before = '';
  while (!reader.isDone) {
    const name = reader.text();
    if (name <= before) throw new RangeError('the series of a block are not sorted');
    before = name;
    const sketch = reader.bytes(reader.number());
    const faults = new Map<string, number>();
    for (let left = reader.number(); left > 0; left -= 1) faults.set(reader.text(), reader.number());
    read.set(name, { sketch, faults });
  }
  return read;
}
