/** The mirrored log over HTTP, as c2sp.org/tlog-tiles says: whatever is here, with the collector dead too. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import type { Mirror, MirrorYear } from '../src/lib/server/mirror.ts';
import { bodyBytes, coversTile, findBody, readTile } from '../src/lib/server/mirror-read.ts';
import { acceptsGzip, matches } from './answer-headers.ts';
import { securityHeaders } from './headers.ts';
import { openShelf, type Taken } from './shelf.ts';

/**
 * Memory of whole answers, of all together whoever reads how slowly: 64 MiB of what is sent or kept to be sent again
 * (300 usual bundles of 200 KiB, three of the 16 MiB that one may have), and what is being made, four at a time with
 * three times 16 MiB each at most: 256 MiB in the worst log that there can be, some 70 MiB in a usual one.
 */
const MAX_SHELF_BYTES = 67_108_864;
const MAX_MAKING = 4;
/** Bodies under way at once, each with 64 KiB and what packs it, 300 KiB. */
const MAX_STREAMS = 200;
/** More wait for a place; past it they are asked to come again. */
const MAX_WAITING = 500;
/** Who takes nothing of an answer for so long is let go, ms. */
const STALL_MS = 20_000;
/** Nobody takes longer over a whole answer, ms: a trickle would keep its bytes for ever. 16 MiB are 1.2 Mbit/s. */
const MAX_SEND_MS = 120_000;
const MIN_GZIP_BYTES = 1_000;

/** No stale-if-error: who restores a collector asks here what the newest checkpoint is, and an old one would fork the log. */
const CHANGING = 'public, max-age=2';
const FOREVER = 'public, max-age=31536000, immutable';
const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';

const pack = promisify(gzip);

interface Whole {
  /** Of its kind and its content, or of its log and place where those never change. */
  readonly etag: string;
  readonly type: string;
  readonly cache: string;
  readonly isPacked: boolean;
  /** Undefined where it is damaged or was taken away meanwhile. */
  readonly make: () => Promise<Uint8Array | undefined>;
}

export interface LogAnswerBounds {
  /** Default MAX_SHELF_BYTES. */
  readonly shelfBytes?: number;
  /** Default STALL_MS. */
  readonly stallMs?: number;
}

/** Answers what lies under /log/. Rejects when the disk fails. */
export type AnswerLog = (req: IncomingMessage, res: ServerResponse, path: string) => Promise<void>;

/** Too many at once: they are asked to come again. */
class Busy extends Error {
  override name = 'Busy';
}

export function logAnswers(mirror: Mirror, bounds: LogAnswerBounds = {}): AnswerLog {
  const { shelfBytes = MAX_SHELF_BYTES, stallMs = STALL_MS } = bounds;
  const making = gate(MAX_MAKING);
  const streams = gate(MAX_STREAMS);
  const shelf = openShelf(shelfBytes);

  async function body(
    req: IncomingMessage,
    res: ServerResponse,
    path: string,
    year: MirrorYear,
    hex: string,
  ): Promise<void> {
    const etag = `W/"${hex}"`;
    const bytes = await bodyBytes(year, hex);
    if (bytes === undefined) return noBody(res, path);
    const isPacked = acceptsGzip(req) && bytes >= MIN_GZIP_BYTES;
    const headers = {
      ...securityHeaders(path),
      'content-type': TEXT,
      'cache-control': FOREVER,
      vary: 'accept-encoding',
      etag,
    };
    if (matches(req.headers['if-none-match'], etag)) return void res.writeHead(304, headers).end();
    const sent = {
      ...headers,
      ...(isPacked ? { 'content-encoding': 'gzip' } : { 'content-length': String(bytes) }),
    };
    if (req.method === 'HEAD') return void res.writeHead(200, sent).end();
    await within(streams, async () => {
      const found = await findBody(year, hex);
      if (found === 'damaged') await mirror.lost(year);
      if (found === undefined || found === 'damaged') return noBody(res, path);
      res.writeHead(200, sent);
      res.setTimeout(stallMs, () => res.destroy());
      const file = createReadStream(found.file);
      // Who went away in the middle is nobody's fault.
      await (isPacked ? pipeline(file, createGzip(), res) : pipeline(file, res)).catch(() => res.destroy());
    });
  }

  async function whole(path: string): Promise<Whole | undefined> {
    if (path === '/log/keys') return text(keysOf(mirror));
    if (path === '/log/policy') return text(await mirror.policy());
    const [, year, rest = ''] = /^\/log\/([1-9][0-9]{3})\/(.*)$/.exec(path) ?? [];
    const log = mirror.years().find((each) => String(each.year) === year);
    if (log === undefined) return undefined;
    if (rest === 'checkpoint') return text(log.held()?.note);
    if (!coversTile(log, rest)) return undefined;
    return {
      etag: etagOf(`${log.key} ${rest}`),
      type: BYTES,
      cache: FOREVER,
      // Hashes do not pack.
      isPacked: rest.startsWith('tile/entries/'),
      make: () => within(making, () => readTile(log, rest)),
    };
  }

  /** What is sent: packed where that is asked for and worth it. */
  async function takeFor(
    found: Whole,
    wantsGzip: boolean,
  ): Promise<(Taken & { isGzip: boolean }) | undefined> {
    const plain = await room(shelf.take(found.etag, found.make));
    if (plain === undefined) return undefined;
    if (!found.isPacked || !wantsGzip || plain.bytes.length < MIN_GZIP_BYTES)
      return { ...plain, isGzip: false };
    try {
      const packed = await room(
        shelf.take(`gzip ${found.etag}`, () => within(making, () => pack(plain.bytes))),
      );
      return packed && { ...packed, isGzip: true };
    } finally {
      plain.leave();
    }
  }

  async function send(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    const found = await whole(path);
    if (found === undefined) return sentence(res, path, 404, missing(mirror));
    const headers = {
      ...securityHeaders(path),
      'content-type': found.type,
      'cache-control': found.cache,
      vary: 'accept-encoding',
      etag: found.etag,
    };
    if (matches(req.headers['if-none-match'], found.etag)) return void res.writeHead(304, headers).end();
    // Without a length, which RFC 9110 section 9.3.2 allows: to know it would be all the work.
    if (req.method === 'HEAD') return void res.writeHead(200, headers).end();
    const taken = await takeFor(found, acceptsGzip(req));
    if (taken === undefined) return sentence(res, path, 404, missing(mirror));
    if (res.closed || res.destroyed) return taken.leave();
    const late = setTimeout(() => res.destroy(), MAX_SEND_MS);
    const done = () => {
      clearTimeout(late);
      taken.leave();
    };
    res.once('close', done).once('finish', done);
    res.setTimeout(stallMs, () => res.destroy());
    res.writeHead(200, {
      ...headers,
      ...(taken.isGzip ? { 'content-encoding': 'gzip' } : {}),
      'content-length': taken.bytes.length,
    });
    res.end(taken.bytes);
  }

  return async (req, res, path) => {
    const [, name, hex] = /^\/log\/([1-9][0-9]{3})\/body\/([0-9a-f]{64})$/.exec(path) ?? [];
    const year = mirror.years().find((each) => String(each.year) === name);
    try {
      await (year === undefined || hex === undefined
        ? send(req, res, path)
        : body(req, res, path, year, hex));
    } catch (error) {
      if (!(error instanceof Busy)) throw error;
      res.setHeader('retry-after', '1');
      sentence(res, path, 503, 'Too many are reading the log at this moment. Please try again.');
    }
  };
}

function noBody(res: ServerResponse, path: string): void {
  sentence(res, path, 404, 'There is no such body here: it is not public, or has not come yet.');
}

/** Throws Busy when the shelf is full. */
async function room(taking: Promise<Taken | 'full' | undefined>): Promise<Taken | undefined> {
  const taken = await taking;
  if (taken === 'full') throw new Busy('what is being read fills the room');
  return taken;
}

function etagOf(content: string | Uint8Array): string {
  return `W/"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
}

function text(body: string | Uint8Array | undefined): Whole | undefined {
  if (body === undefined) return undefined;
  const make = async () => Buffer.from(body as string);
  return { etag: etagOf(body), type: TEXT, cache: CHANGING, isPacked: false, make };
}

function keysOf(mirror: Mirror): string | undefined {
  const operator = mirror.operatorKey();
  const years = mirror.years();
  if (operator === undefined || years.length === 0) return undefined;
  return [`operator ${operator}`, ...years.map(({ key }) => `log ${key}`), ''].join('\n');
}

function missing(mirror: Mirror): string {
  return mirror.years().length === 0
    ? 'This page holds no log yet: it copies it from the collector and has not found one.'
    : 'The log that this page holds has nothing at this address.';
}

function sentence(res: ServerResponse, path: string, status: number, said: string): void {
  res.writeHead(status, { ...securityHeaders(path), 'content-type': TEXT, 'cache-control': 'no-store' });
  res.end(`${said}\n`);
}

interface Gate {
  enter(): Promise<boolean>;
  leave(): void;
}

/** Throws Busy when too many wait for a place already. */
async function within<T>(places: Gate, work: () => Promise<T>): Promise<T> {
  if (!(await places.enter())) throw new Busy('too many wait');
  try {
    return await work();
  } finally {
    places.leave();
  }
}

/** Places, and a queue for them. */
function gate(places: number): Gate {
  let free = places;
  const waiting: (() => void)[] = [];
  return {
    async enter() {
      if (free > 0) {
        free -= 1;
        return true;
      }
      if (waiting.length >= MAX_WAITING) return false;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return true;
    },
    leave() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
