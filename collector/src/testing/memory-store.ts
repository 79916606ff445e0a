/** A store in memory with what the follower of commits asks for, quick enough for thousands of them. Nothing is rolled back. */
import { parseBatchText } from '@highwater/config/proof/batch.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import type { CommitRow, HeldBody, StateRow, Store, Tx, View } from '../store/store.ts';

export interface MemoryStore extends Store {
  /** Another one with the same commits, bodies and states, and no views. */
  copy(): MemoryStore;
}

interface Kept {
  readonly commits: CommitRow[];
  readonly bodies: Map<number, readonly HeldBody[]>;
  readonly states: Map<string, StateRow>;
}

function minutesOf({ note }: CommitRow): { first: number; last: number } {
  const parsed = parseNote(note);
  const batch = 'error' in parsed ? parsed : parseBatchText(parsed.text);
  if ('error' in batch) throw new Error(batch.error);
  return batch.minutes;
}

export function memoryStore({ commits, bodies, states }: Kept = emptyKept()): MemoryStore {
  const blocks = new Map<string, { view: View; period: number; subject: string; block: Uint8Array }>();
  const ranges = new Map<number, { first: number; last: number }>();
  const batches = (probe: string): CommitRow[] => commits.filter((row) => row.batch?.probe === probe);
  const txs = new Map<string, Tx>();
  const txOf = (shard: string): Tx => {
    const own = txs.get(shard) ?? (make(shard) as Tx);
    txs.set(shard, own);
    return own;
  };
  const make = (shard: string): Partial<Tx> => ({
    getState: async (core, key) => states.get(`${shard} ${core} ${key}`),
    async listState(core) {
      const prefix = `${shard} ${core} `;
      return [...states].flatMap(([place, row]) => (place.startsWith(prefix) ? [row] : []));
    },
    async putState(core, key, version, value) {
      states.set(`${shard} ${core} ${key}`, { key, version: version + 1, value });
      return version + 1;
    },
    commitsFrom: async (index, limit) => commits.slice(index, index + limit),
    commitSize: async () => commits.length,
    commitByHash: async (hash) => commits.find((row) => row.hash === hash),
    batches: async (probe, epoch, number) =>
      batches(probe).filter(({ batch }) => batch?.epoch === epoch && batch.number === number),
    batchesSince: async (probe, epoch, number, limit) =>
      batches(probe)
        .filter(({ batch }) => batch?.epoch === epoch && batch.number >= number)
        .sort((a, b) => (a.batch?.number ?? 0) - (b.batch?.number ?? 0) || a.index - b.index)
        .slice(0, limit),
    batchesCovering: async (probe, from, to) =>
      batches(probe).filter((row) => {
        const range = ranges.get(row.index) ?? minutesOf(row);
        ranges.set(row.index, range);
        return range.first <= to && range.last >= from;
      }),
    leaves: async () => commits.filter(({ kind }) => kind !== 'batch'),
    lastOfKind: async (kind) => commits.findLast((row) => row.kind === kind),
    async addCommit({ batch, ...row }) {
      const { probe = '', epoch = 0, number = 0 } = batch ?? {};
      commits.push({ ...row, index: commits.length, ...(batch && { batch: { probe, epoch, number } }) });
      return commits.length - 1;
    },
    async addBodies(index, held) {
      bodies.set(index, held);
    },
    heldBodies: async (index) => bodies.get(index),
    packs: async () => [],
    bodyPlaces: async () => [],
    meta: async () => undefined,
    block: async (view, period, subject) => blocks.get(`${shard} ${view} ${period} ${subject}`)?.block,
    blocks: async (view, from, to, subject) =>
      [...blocks].flatMap(([place, row]) =>
        place.startsWith(`${shard} ${view} `) &&
        row.period >= from &&
        row.period <= to &&
        (subject === undefined || row.subject === subject)
          ? [row]
          : [],
      ),
    async putBlock(view, period, subject, block) {
      blocks.set(`${shard} ${view} ${period} ${subject}`, { view, period, subject, block: block.slice() });
    },
    async dropBlock(view, period, subject) {
      blocks.delete(`${shard} ${view} ${period} ${subject}`);
    },
  });
  return {
    transact: (shard, work) => work(txOf(shard)),
    read: (shard, work) => work(txOf(shard)),
    copy() {
      // Without blocks nothing was followed.
      const others = [...states].filter(([place]) => place.split(' ')[1] !== 'slots');
      return memoryStore({ commits: [...commits], bodies: new Map(bodies), states: new Map(others) });
    },
    async [Symbol.asyncDispose]() {
      // It is memory alone.
    },
  };
}

function emptyKept(): Kept {
  return { commits: [], bodies: new Map(), states: new Map() };
}
