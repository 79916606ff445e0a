/** The mirrored log over HTTP, as c2sp.org/tlog-tiles says: whatever is here, with the collector dead too. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import type { Mirror, MirrorYear } from '../src/lib/server/mirror.ts';
import { findBody, readTile } from '../src/lib/server/mirror-read.ts';
import { acceptsGzip, matches } from './answer-headers.ts';
import { securityHeaders } from './headers.ts';

/** Tiles and bundles that are worked on at once: each is in memory whole, 200 KiB, 16 MiB at most. */
const MAX_WHOLE = 16;
/** Bodies under way at once, each with 64 KiB and what packs it, 300 KiB. */
const MAX_STREAMS = 200;
/** More wait for a place; past it they are asked to come again. */
const MAX_WAITING = 500;
/** Who takes nothing of a body for so long is let go, ms. */
const STALL_MS = 20_000;
const MIN_GZIP_BYTES = 1_000;

const CHANGING = 'public, max-age=2, stale-if-error=86400';
const FOREVER = 'public, max-age=31536000, immutable';
const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';

const pack = promisify(gzip);

interface Whole {
  readonly body: Uint8Array;
  readonly type: string;
  readonly cache: string;
}

/** Answers what lies under /log/. Rejects when the disk fails. */
export type AnswerLog = (req: IncomingMessage, res: ServerResponse, path: string) => Promise<void>;

export function logAnswers(mirror: Mirror): AnswerLog {
  const wholes = gate(MAX_WHOLE);
  const streams = gate(MAX_STREAMS);

  async function body(
    req: IncomingMessage,
    res: ServerResponse,
    path: string,
    year: MirrorYear,
    hex: string,
  ) {
    const etag = `W/"${hex}"`;
    const found = await findBody(year, hex);
    if (found === 'damaged') await mirror.lost(year);
    if (found === undefined || found === 'damaged') {
      return sentence(res, path, 404, 'There is no such body here: it is not public, or has not come yet.');
    }
    const isPacked = acceptsGzip(req) && found.bytes >= MIN_GZIP_BYTES;
    const headers = {
      ...securityHeaders(path),
      'content-type': TEXT,
      'cache-control': FOREVER,
      vary: 'accept-encoding',
      etag,
    };
    if (matches(req.headers['if-none-match'], etag)) return void res.writeHead(304, headers).end();
    res.writeHead(200, {
      ...headers,
      ...(isPacked ? { 'content-encoding': 'gzip' } : { 'content-length': String(found.bytes) }),
    });
    if (req.method === 'HEAD') return void res.end();
    res.setTimeout(STALL_MS, () => res.destroy());
    const file = createReadStream(found.file);
    // Who went away in the middle is nobody's fault.
    await (isPacked ? pipeline(file, createGzip(), res) : pipeline(file, res)).catch(() => res.destroy());
  }

  async function whole(path: string): Promise<Whole | undefined> {
    if (path === '/log/keys') return text(keysOf(mirror));
    if (path === '/log/policy') return text(await mirror.policy());
    const [, year, rest = ''] = /^\/log\/([1-9][0-9]{3})\/(.*)$/.exec(path) ?? [];
    const log = mirror.years().find((each) => String(each.year) === year);
    if (log === undefined) return undefined;
    if (rest === 'checkpoint') return text(log.held()?.note);
    const tile = await readTile(log, rest);
    return tile && { body: tile, type: BYTES, cache: FOREVER };
  }

  async function send(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    const found = await whole(path);
    if (found === undefined) return sentence(res, path, 404, missing(mirror));
    const etag = `W/"${createHash('sha256').update(found.body).digest('base64url').slice(0, 22)}"`;
    const headers = {
      ...securityHeaders(path),
      'content-type': found.type,
      'cache-control': found.cache,
      vary: 'accept-encoding',
      etag,
    };
    if (matches(req.headers['if-none-match'], etag)) return void res.writeHead(304, headers).end();
    // Hashes do not pack.
    const isEntries = path.includes('/tile/entries/') && found.body.length >= MIN_GZIP_BYTES;
    const packed = isEntries && acceptsGzip(req) ? await pack(found.body) : undefined;
    const bytes = packed ?? found.body;
    res.writeHead(200, {
      ...headers,
      ...(packed ? { 'content-encoding': 'gzip' } : {}),
      'content-length': bytes.length,
    });
    res.end(req.method === 'HEAD' ? undefined : bytes);
  }

  return async (req, res, path) => {
    const [, name, hex] = /^\/log\/([1-9][0-9]{3})\/body\/([0-9a-f]{64})$/.exec(path) ?? [];
    const year = mirror.years().find((each) => String(each.year) === name);
    const places = year === undefined ? wholes : streams;
    if (!(await places.enter())) {
      res.setHeader('retry-after', '1');
      return sentence(res, path, 503, 'Too many are reading the log at this moment. Please try again.');
    }
    try {
      await (year === undefined || hex === undefined
        ? send(req, res, path)
        : body(req, res, path, year, hex));
    } finally {
      places.leave();
    }
  };
}

function text(body: string | Uint8Array | undefined): Whole | undefined {
  return body === undefined ? undefined : { body: Buffer.from(body as string), type: TEXT, cache: CHANGING };
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

/** Places, and a queue for them. */
function gate(places: number): { enter(): Promise<boolean>; leave(): void } {
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
