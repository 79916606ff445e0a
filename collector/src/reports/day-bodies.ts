/**
 * The bodies of a service's batches of one UTC day, in the order of the log. Each pack of it is read once, from its begin to
 * its end; what is in none is looked for one by one. What is given is what the batch commits to by its hash.
 */
import { hash } from 'node:crypto';
import type { MissingWhy } from '@highwater/config/bundle/published.ts';
import type { Batch, BodyRef } from '@highwater/config/proof/batch.ts';
import {
  directoryEnd,
  HEAD_BYTES,
  PackError,
  readDirectory,
  readPackSegment,
} from '@highwater/config/proof/packed/pack.ts';
import type { Bodies } from '../bodies/bodies.ts';
import { zstd } from '../packing/zstd.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { HeldBody, PackRow, ReadTx, Shown } from '../store/store.ts';

/** A body that a batch of the day commits to. */
export interface WantedBody {
  /** Commit index. */
  readonly index: number;
  readonly batch: Batch;
  readonly ref: BodyRef;
}

export interface DayBodies {
  /** In the order of `wanted`, all of one service. */
  of(service: string, wanted: readonly WantedBody[]): Promise<readonly (Uint8Array | MissingWhy)[]>;
}

/** Bodies in rows of a day are held together when they are not more, bytes: a row holds all services of a batch. */
const MAX_HELD_BYTES = 134_217_728;

interface Found {
  readonly bytes: Uint8Array;
  readonly shown: Shown;
}

const nameOf = ({ probe, epoch, number }: Pick<Batch, 'probe' | 'epoch' | 'number'>): string =>
  `${probe} ${epoch} ${number}`;

/** Undefined for a text that the batch does not commit to. Lines are ASCII. */
function asCommitted({ ref }: WantedBody, text: string): Uint8Array | undefined {
  if (text.length !== ref.bytes) return undefined;
  const bytes = Buffer.from(text, 'latin1');
  return hash('sha256', bytes, 'base64') === ref.hash ? bytes : undefined;
}

/** @param dayBytes of all bodies of the day that are wanted */
export function openDayBodies(
  tx: ReadTx,
  blobs: Blobs,
  bodies: Pick<Bodies, 'read'>,
  day: number,
  dayBytes: number,
): DayBodies {
  const rows = new Map<number, readonly HeldBody[] | undefined>();
  const heldOf = async (index: number, service: string): Promise<HeldBody | undefined> => {
    if (dayBytes > MAX_HELD_BYTES) {
      return (await tx.heldBodies(index, (each) => each === service))?.[0];
    }
    if (!rows.has(index)) rows.set(index, await tx.heldBodies(index));
    return rows.get(index)?.find((body) => body.service === service);
  };

  const fromPack = async (
    row: PackRow,
    byName: ReadonlyMap<string, readonly number[]>,
    wanted: readonly WantedBody[],
    found: (Found | undefined)[],
  ): Promise<void> => {
    const head = await blobs.range(row.blob, 0, HEAD_BYTES);
    const begin = head && (await blobs.range(row.blob, 0, directoryEnd(head)));
    if (begin === undefined) return;
    const directory = readDirectory(begin, zstd);
    for (const [segment, own] of Map.groupBy(directory.bodies, (body) => body.segment)) {
      if (!own.some((body) => byName.has(nameOf(body)))) continue;
      const { start = 0, end = 0 } = directory.segments[segment] ?? {};
      const packed = await blobs.range(row.blob, start, end);
      if (packed === undefined) return;
      const texts = readPackSegment(directory, segment, packed, zstd);
      for (const body of own) {
        for (const i of byName.get(nameOf(body)) ?? []) {
          const want = wanted[i];
          if (want === undefined || found[i]?.shown === 'public') continue;
          const bytes = asCommitted(want, texts[body.place] ?? '');
          if (bytes !== undefined) found[i] = { bytes, shown: body.shown };
        }
      }
    }
  };

  return {
    async of(service, wanted) {
      const found: (Found | undefined)[] = wanted.map(() => undefined);
      const byName = new Map<string, number[]>();
      for (const [i, { batch }] of wanted.entries()) {
        const name = nameOf(batch);
        byName.set(name, [...(byName.get(name) ?? []), i]);
      }
      for (const row of await tx.packs(service, day)) {
        try {
          await fromPack(row, byName, wanted, found);
        } catch (error) {
          // A damaged one is told by whoever looks for one of its bodies, which is done below.
          if (!(error instanceof PackError)) throw error;
        }
      }
      const given: (Uint8Array | MissingWhy)[] = [];
      for (const [i, want] of wanted.entries()) {
        given.push(shownOf(found[i] ?? (await one(want, service))));
      }
      return given;
    },
  };

  /** In a row, or wherever else it lies. */
  async function one(want: WantedBody, service: string): Promise<Found | undefined> {
    const held = (await heldOf(want.index, service)) ?? (await bodies.read(want.ref.hash));
    const bytes = held === undefined ? undefined : asCommitted(want, held.text);
    if (held === undefined) return undefined;
    return { bytes: bytes ?? new Uint8Array(), shown: bytes === undefined ? 'salted' : held.shown };
  }
}

function shownOf(found: Found | undefined): Uint8Array | MissingWhy {
  if (found === undefined) return 'gone';
  return found.shown === 'public' ? found.bytes : 'private';
}
