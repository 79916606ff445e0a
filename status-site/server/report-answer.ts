/**
 * Files of monthly reports: what is kept here is sent from the disk, archives and files of bundles come through from the
 * collector, which alone has them.
 */
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { MAX_FILE_BYTES } from '@highwater/config/bundle/files.ts';
import { parseMonth } from '@highwater/config/proof/rule/period.ts';
import type { CollectorAddress } from '../src/lib/server/ask.ts';
import { openSource, SourceError } from '../src/lib/server/report-source.ts';
import { keptForms, type HeldReport, type KeptForm, type Reports } from '../src/lib/server/reports.ts';
import { acceptsGzip, matches } from './answer-headers.ts';
import { securityHeaders, type Headers } from './headers.ts';

/** Files under way at once, each with 64 KiB and what packs it, 300 KiB. */
const MAX_STREAMS = 64;
/** Of the archive. */
const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024 * 1024;
/** Who takes nothing for so long is let go, ms. */
const STALL_MS = 30_000;
const MAX_NAME = 400;

const CHANGING = 'public, max-age=60, stale-if-error=86400';
const FOREVER = 'public, max-age=31536000, immutable';
const types: Readonly<Record<KeptForm | 'tar.gz', string>> = {
  json: 'application/json',
  md: 'text/markdown; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  'tar.gz': 'application/gzip',
};

export type AnswerReport = (
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  asked: ReportFile,
) => Promise<void>;

export interface ReportFile {
  readonly month: string;
  readonly form: KeptForm | 'tar.gz' | 'bundle';
  /** Of a file of the bundle. */
  readonly name: string;
}

/** As `highwater report` names it; without a revision it is the newest, whichever that is. */
const archiveName = (month: string, revision: number | undefined): string =>
  `report-${month}${revision !== undefined && revision > 1 ? `-r${revision}` : ''}.tar.gz`;

/** `/reports/2026-10.md`, `/reports/2026-10/bundle/keys`; undefined for all that is no file of a report. */
export function reportFileOf(path: string): ReportFile | undefined {
  const [, month = '', form = '', name = ''] =
    /^\/reports\/([0-9]{4}-[0-9]{2})(?:\.(json|md|csv|tar\.gz)|\/bundle\/(.+))$/.exec(path) ?? [];
  if (parseMonth(month) === undefined) return undefined;
  return { month, form: name === '' ? (form as ReportFile['form']) : 'bundle', name };
}

/** Names that no path can bend. */
function isName(name: string): boolean {
  return (
    name.length <= MAX_NAME && name.split('/').every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part))
  );
}

/** `refused` for what is no revision. */
function revisionOf(req: IncomingMessage): number | undefined | 'refused' {
  const asked = new URLSearchParams((req.url ?? '').split('#', 1)[0]?.split('?')[1]).get('revision');
  if (asked === null) return undefined;
  return /^[1-9][0-9]{0,8}$/.test(asked) ? Number(asked) : 'refused';
}

/** Answers files of reports. Rejects when the disk fails. */
export function reportAnswers(reports: Reports, collector: CollectorAddress): AnswerReport {
  let streams = 0;

  async function kept(
    req: IncomingMessage,
    res: ServerResponse,
    held: HeldReport,
    form: KeptForm,
    headers: Headers,
  ): Promise<void> {
    const isPacked = acceptsGzip(req);
    const etag = `W/"${held.month}-${held.revision}-${form}-${held.bytes[form]}"`;
    const all = { ...headers, etag, 'content-type': types[form] };
    if (matches(req.headers['if-none-match'], etag)) return void res.writeHead(304, all).end();
    const sent = {
      ...all,
      ...(isPacked ? { 'content-encoding': 'gzip' } : { 'content-length': String(held.bytes[form]) }),
    };
    if (req.method === 'HEAD') return void res.writeHead(200, sent).end();
    const file = createReadStream(reports.fileOf(held, form));
    await new Promise<void>((resolve, reject) => file.once('open', () => resolve()).once('error', reject));
    res.writeHead(200, sent);
    res.setTimeout(STALL_MS, () => res.destroy());
    await (isPacked ? pipeline(file, createGzip(), res) : pipeline(file, res));
  }

  async function through(
    req: IncomingMessage,
    res: ServerResponse,
    asked: ReportFile,
    revision: number | undefined,
    headers: Headers,
  ): Promise<void> {
    const { month, form, name } = asked;
    const isOfBundle = form === 'bundle';
    const file = isOfBundle ? `bundle/${name}` : form === 'tar.gz' ? form : `report.${form}`;
    const query = revision === undefined ? '' : `?revision=${revision}`;
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    const source = await openSource(collector, `/v1/reports/${month}/${file}${query}`, gone.signal);
    if (source === undefined)
      return sentence(res, headers, 404, 'There is no such file, report or revision.');
    const isPacked = source.headers['content-encoding'] === 'gzip';
    const length = Number(source.headers['content-length']);
    const maxBytes = isOfBundle ? MAX_FILE_BYTES : MAX_ARCHIVE_BYTES;
    const isTaken = !isPacked || acceptsGzip(req);
    res.writeHead(200, {
      ...headers,
      'content-type': isOfBundle ? typeOf(name) : types[form],
      ...(form === 'tar.gz'
        ? { 'content-disposition': `attachment; filename="${archiveName(month, revision)}"` }
        : {}),
      ...(isPacked && isTaken ? { 'content-encoding': 'gzip' } : {}),
      ...(isTaken && Number.isSafeInteger(length) && length <= maxBytes ? { 'content-length': length } : {}),
    });
    if (req.method === 'HEAD') {
      res.end();
      return void source.destroy();
    }
    res.setTimeout(STALL_MS, () => res.destroy());
    await (isTaken
      ? pipeline(source, capped(maxBytes), res)
      : pipeline(source, createGunzip(), capped(maxBytes), res));
  }

  return async (req, res, path, asked) => {
    const revision = revisionOf(req);
    const headers = {
      ...securityHeaders(path),
      vary: 'accept-encoding',
      'cache-control': revision === undefined ? CHANGING : FOREVER,
    };
    if (revision === 'refused' || (asked.form === 'bundle' && !isName(asked.name)))
      return sentence(res, headers, 404, 'There is no such file, report or revision.');
    if (streams >= MAX_STREAMS)
      return sentence(res, headers, 503, 'Too many are reading reports at this moment. Please try again.', 2);
    streams += 1;
    try {
      const held = reports.held(asked.month);
      const form = keptForms.find((one) => one === asked.form);
      if (held && form && (revision === undefined || revision === held.revision))
        await kept(req, res, held, form, headers);
      else await through(req, res, asked, revision, headers);
    } catch (error) {
      // Who went away in the middle is nobody's fault, and what was begun can't be taken back.
      if (res.headersSent || res.destroyed) return void res.destroy();
      if (!(error instanceof SourceError)) throw error;
      sentence(
        res,
        headers,
        503,
        'This file is at the collector, which does not answer at this moment. The report itself, its JSON, Markdown and CSV are kept here. Please try again later.',
        60,
      );
    } finally {
      streams -= 1;
    }
  };
}

/** Fails past so many bytes: whoever sends more is no collector of ours, or packs zeros. */
function capped(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? new SourceError(`it is larger than ${maxBytes} bytes`) : null, chunk);
    },
  });
}

function typeOf(name: string): string {
  if (name.endsWith('.json')) return types.json;
  if (name.endsWith('.csv')) return types.csv;
  return name.includes('/entries/') ? 'application/octet-stream' : 'text/plain; charset=utf-8';
}

function sentence(
  res: ServerResponse,
  headers: Headers,
  status: number,
  said: string,
  retryS?: number,
): void {
  res.writeHead(status, {
    ...headers,
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    ...(retryS === undefined ? {} : { 'retry-after': String(retryS) }),
  });
  res.end(`${said}\n`);
}
