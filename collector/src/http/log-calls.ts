/**
 * The published log (c2sp.org/tlog-tiles): checkpoints, tiles and entry bundles of each year, the bodies that its leaves
 * name, its keys and its policy. What is asked for by hash or by place never changes, and says so.
 */
import { bundlePath, hashesAt, parseTilePath, tilePath } from '@highwater/config/proof/tiles.ts';
import { parseCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { z } from 'zod';
import type { Bodies } from '../bodies/bodies.ts';
import { readShown, type Shown } from '../ingest/shown.ts';
import type { Log } from '../log/log.ts';
import { mutex } from '../mutex.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { HttpError, type Reply } from './reply.ts';
import type { Call, Route } from './routes.ts';

export interface LogCalls {
  readonly log: Pick<Log, 'checkpoint' | 'tile' | 'keys'>;
  readonly blobs: Blobs;
  readonly bodies: Pick<Bodies, 'read'>;
  readonly shown: Shown;
  /** Verifier key of who signs the leaves. */
  readonly operatorKey: string;
  /** The policy file as text; undefined while there is none. */
  readonly policy: () => string | undefined;
}

/**
 * A place of its own for the log, so that who reads much of it leaves room for the page. A call costs one tile (8 KiB), one
 * bundle (16 MiB where each entry is as large as it may be, some 200 KiB in fact), or one body and, while it is looked
 * for, those of its batch (some 10 MiB where a probe has caught up with hours, 100 KiB in fact).
 */
const POOL = 'log';

/** Bodies that are looked for, or wait for that. */
export const MAX_WAITING = 64;

const CHANGING = 'public, max-age=2';
const FOREVER = 'public, max-age=31536000, immutable';
const TEXT = 'text/plain; charset=utf-8';

function missing(what: string): HttpError {
  return new HttpError(404, `there is no ${what}`);
}

function text(body: string): Reply {
  return { status: 200, body, headers: { 'content-type': TEXT, 'cache-control': CHANGING } };
}

/** Throws HttpError 404 for what is no year. */
function yearOf({ params }: Call): number {
  const year = params['year'] ?? '';
  if (!/^[1-9][0-9]{3}$/.test(year)) throw missing('log of that year');
  return Number(year);
}

/** Entries under the published checkpoint; 0 while there is none. */
function sizeOf(checkpoint: string | undefined): number {
  const note = parseNote(checkpoint ?? '');
  const read = 'error' in note ? note : parseCheckpointText(note.text);
  return 'error' in read ? 0 : read.size;
}

/** The path of a tile or bundle of a tree of `size` entries as it is kept; undefined for one that it does not have. */
function keptPath(rest: string, size: number): string | undefined {
  const asked = parseTilePath(`tile/${rest}`);
  if (asked === undefined) return undefined;
  const { index, width } = asked.kind === 'hashes' ? asked.tile : asked;
  const level = asked.kind === 'hashes' ? asked.tile.level : 0;
  if (hashesAt(level, size) - index * 256 < width) return undefined;
  return asked.kind === 'hashes' ? tilePath(asked.tile) : bundlePath(index, width);
}

async function tileCall({ log }: LogCalls, call: Call): Promise<Reply> {
  const year = yearOf(call);
  const path = keptPath(call.params['path'] ?? '', sizeOf(await log.checkpoint(year)));
  const body = path === undefined ? undefined : await log.tile(year, path);
  if (body === undefined) throw missing('such tile under the published checkpoint');
  return {
    status: 200,
    body,
    headers: { 'content-type': 'application/octet-stream', 'cache-control': FOREVER },
  };
}

/**
 * One at a time: a body out of a pack takes some milliseconds of a thread, and whoever folds the log asks that thread too.
 * Who would wait behind many is asked to come again.
 */
function openTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  const oneByOne = mutex();
  let waiting = 0;
  return async (work) => {
    if (waiting >= MAX_WAITING) {
      throw new HttpError(503, 'many are reading bodies', 'come again', { 'retry-after': '1' });
    }
    waiting += 1;
    try {
      return await oneByOne(work);
    } finally {
      waiting -= 1;
    }
  };
}

type Turns = ReturnType<typeof openTurns>;

async function bodyCall({ blobs, bodies, shown }: LogCalls, turns: Turns, call: Call): Promise<Reply> {
  yearOf(call);
  const hex = call.params['sha256'] ?? '';
  const body = /^[0-9a-f]{64}$/.test(hex)
    ? await turns(() => readShown({ blobs, bodies }, shown, hex))
    : undefined;
  if (body === undefined) throw missing('such body, or it is not public');
  return {
    status: 200,
    body,
    headers: { 'content-type': TEXT, 'cache-control': FOREVER, etag: `"${hex}"` },
  };
}

export function logRoutes(parts: LogCalls): Route[] {
  const { log, operatorKey, policy } = parts;
  const turns = openTurns();
  const read = { method: 'GET', access: 'read', pool: POOL } as const;
  const plain = { 'text/plain': z.string() };
  return [
    {
      ...read,
      path: '/log/keys',
      says: {
        summary: 'Verifier keys: `operator VKEY` of who signs the leaves, then `log VKEY` for each year',
        gives: plain,
      },
      handle: async () =>
        text([`operator ${operatorKey}`, ...log.keys.map((key) => `log ${key}`), ''].join('\n')),
    },
    {
      ...read,
      path: '/log/policy',
      says: { summary: 'Logs, witnesses and quorum as C2SP tlog-policy', gives: plain },
      async handle() {
        const file = policy();
        if (file === undefined) throw missing('log yet');
        return text(file);
      },
    },
    {
      ...read,
      path: '/log/:year/checkpoint',
      says: { summary: "The newest checkpoint of a year's log, with its cosignatures", gives: plain },
      async handle(call) {
        const checkpoint = await log.checkpoint(yearOf(call));
        if (checkpoint === undefined) throw missing('published checkpoint of that year');
        return text(checkpoint);
      },
    },
    {
      ...read,
      path: '/log/:year/tile/*path',
      says: {
        summary: 'Hashes `LEVEL/N[.p/W]` or entries `entries/N[.p/W]` as C2SP tlog-tiles',
        gives: { 'application/octet-stream': z.string() },
      },
      handle: (call) => tileCall(parts, call),
    },
    {
      ...read,
      path: '/log/:year/body/:sha256',
      says: {
        summary: 'What leaves name by hash: the lines of public services, the projections of configurations',
        gives: plain,
      },
      handle: (call) => bodyCall(parts, turns, call),
    },
  ];
}
