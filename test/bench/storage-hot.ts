/**
 * What an observation costs on disk until it is packed: a real collector is sent some minutes of lines as `ingest` sends
 * them, with heads and latencies in tenths, without phases and methods; then it ends, so that its write-ahead log is
 * taken in. Counted are all pages of the store that hold something, before and after.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { rounded, type Bench } from './bench.ts';
import { ingestWorld } from './ingest-world.ts';

const minutes = Number(process.env['HIGHWATER_BENCH_MINUTES'] ?? 10);
/** What grows with observations: themselves, their bodies and batches; the rest is views and what is live now. */
const holding = [
  'frames',
  'frames_received',
  'sqlite_autoindex_frames_1',
  'sqlite_autoindex_frames_2',
  'bodies',
  'sqlite_autoindex_bodies_1',
  'body_places',
  'commits',
  'commits_batch',
  'commits_kind',
  'batch_minutes',
];

interface Pages {
  readonly all: number;
  readonly observations: number;
}

/** Bytes of pages in use. */
function pagesOf(file: string): Pages {
  const db = new Database(file, { readonly: true });
  try {
    const rows = db
      .prepare<[], { name: string; bytes: number }>(
        'SELECT name, sum(pgsize) bytes FROM dbstat GROUP BY name',
      )
      .all();
    const sum = (of: typeof rows): number => of.reduce((bytes, row) => bytes + row.bytes, 0);
    return { all: sum(rows), observations: sum(rows.filter(({ name }) => holding.includes(name))) };
  } finally {
    db.close();
  }
}

export const bench: Bench = async function* (only) {
  if (only !== undefined && !only.startsWith('hot-')) return;
  await using world = await ingestWorld({ seed: 6, latency: 'tenths' }, minutes);
  const file = join(world.dataDir, 'collector', 'store.db');
  await world.restart();
  const before = pagesOf(file);
  const frames = await world.send(minutes);
  await world.takenIn();
  await world.collector[Symbol.asyncDispose]();
  const after = pagesOf(file);
  const lines = frames.flat();
  const text = lines.reduce((bytes, line) => bytes + line.length + 1, 0) / lines.length;
  const cases = [
    ['hot-bytes-per-observation', after.observations - before.observations],
    ['hot-store-bytes-per-observation', after.all - before.all],
  ] as const;
  for (const [name, bytes] of cases) {
    if (only !== undefined && only !== name) continue;
    const each = bytes / lines.length;
    yield {
      bench: 'storage',
      case: name,
      against: 'the line as text',
      ratio: rounded(each / text),
      value: rounded(each),
      unit: 'bytes an observation',
      runs: 1,
    };
  }
};
