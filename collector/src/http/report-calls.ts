/** The calls for monthly reports: which there are, their files, single files of their bundles, and to have one made. */
import { names } from '@highwater/config/bundle/files.ts';
import { placeOfName } from '@highwater/config/bundle/order.ts';
import { parseMonth } from '@highwater/config/proof/rule/period.ts';
import { report } from '@highwater/config/report/report.ts';
import type { Clock } from '@highwater/config/time.ts';
import {
  type ReportAsked,
  reportArchive,
  reportAsked,
  reportFiles,
  reportList,
  reportRequest,
} from '@highwater/config/wire.ts';
import { z } from 'zod';
import type { Bell } from '../bell.ts';
import type { ArchivePiece } from '../reports/archive-writer.ts';
import {
  archivePath,
  bytesBetween,
  bytesOf,
  draftName,
  fileOf,
  gzipBytes,
  gzipOf,
  readIndex,
  reportName,
} from '../reports/folder.ts';
import { timeText } from '../reports/calendar.ts';
import type { Reports } from '../reports/reports.ts';
import { bodyType, readBody } from './body.ts';
import { queryInteger } from './query.ts';
import { HttpError, json, type Reply } from './reply.ts';
import type { Call, Route } from './routes.ts';

export interface ReportCalls {
  readonly reports: Reports;
  readonly clock: Pick<Clock, 'now'>;
  /** Rings to have what is due made. */
  readonly wanted: Pick<Bell, 'ring'>;
}

/** Who reads much of reports leaves room for the page. */
const POOL = 'reports';
/** A revision never changes; the newest may be another tomorrow. */
const FOREVER = 'public, max-age=31536000, immutable';
const CHANGING = 'no-cache';

const types: Readonly<Record<string, string>> = {
  json: 'application/json; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  note: 'text/plain; charset=utf-8',
  'tlog-proof': 'text/plain; charset=utf-8',
};

const isDraft = ({ query }: Call): boolean => query.get('draft') === '1';

function monthOf({ params }: Call): string {
  const month = params['month'] ?? '';
  if (parseMonth(month) === undefined) {
    throw new HttpError(404, `${month.slice(0, 40)} is no month`, 'give one such as 2026-10');
  }
  return month;
}

interface Opened {
  readonly path: string;
  readonly name: string;
  readonly cache: string;
}

/** The archive of what is asked for. Throws HttpError 404. */
async function open({ reports }: ReportCalls, call: Call): Promise<Opened> {
  const month = monthOf(call);
  if (isDraft(call)) {
    const name = draftName(month);
    const path = archivePath(reports.folder, name);
    if ((await bytesOf(path)) === undefined) {
      throw new HttpError(404, `there is no draft of ${month}`, 'have one made: POST with ?draft=1');
    }
    return { path, name, cache: 'no-store' };
  }
  const wanted = queryInteger(call.query, 'revision', 0);
  const rows = (await reports.rows()).filter((row) => row.month === month && row.state.phase === 'published');
  const row = wanted === 0 ? rows.at(-1) : rows.find(({ revision }) => revision === wanted);
  if (row === undefined) {
    const which = wanted === 0 ? '' : ` revision ${wanted} of`;
    throw new HttpError(
      404,
      `there is no${which} report of ${month}`,
      'GET /v1/reports lists those there are',
    );
  }
  const name = reportName(month, row.revision);
  return { path: archivePath(reports.folder, name), name, cache: wanted === 0 ? CHANGING : FOREVER };
}

async function pieceOf({ path }: Opened, name: string): Promise<ArchivePiece> {
  const piece = (await readIndex(path))?.pieces.find((each) => each.name === name);
  if (piece === undefined) throw new HttpError(404, `it has no file ${name.slice(0, 200)}`);
  return piece;
}

async function fileCall(parts: ReportCalls, call: Call, file: string): Promise<Reply> {
  const opened = await open(parts, call);
  const { path, name, cache } = opened;
  const etag = `"${name}.${file}"`;
  const headers = { 'cache-control': cache, ...(isDraft(call) ? {} : { etag }) };
  if (!isDraft(call) && call.request.headers['if-none-match'] === etag) return { status: 304, headers };
  if (file === reportArchive) {
    const bytes = await bytesOf(path);
    if (bytes === undefined) throw new HttpError(404, 'its archive is gone');
    return {
      status: 200,
      body: bytesBetween(path, 0, bytes),
      headers: { ...headers, 'content-type': 'application/gzip', 'content-length': String(bytes) },
    };
  }
  if (!reportFiles.some((each) => each === file)) {
    const known = [...reportFiles, reportArchive].join(', ');
    throw new HttpError(404, `a report has no file ${file.slice(0, 100)}`, `ask for one of ${known}`);
  }
  const type = types[file.slice(file.indexOf('.') + 1)] ?? 'text/plain; charset=utf-8';
  const body = await fileOf(path, await pieceOf(opened, file));
  return { status: 200, body, headers: { ...headers, 'content-type': type } };
}

async function bundleCall(parts: ReportCalls, call: Call): Promise<Reply> {
  const file = call.params['name'] ?? '';
  if (placeOfName(file) === undefined) {
    throw new HttpError(404, `${file.slice(0, 200)} is no file of a bundle`, 'docs/reports.md lists them');
  }
  const opened = await open(parts, call);
  const piece = await pieceOf(opened, file);
  return {
    status: 200,
    body: gzipOf(opened.path, piece),
    headers: {
      'content-type': 'application/octet-stream',
      'content-encoding': 'gzip',
      'content-length': String(gzipBytes(piece)),
      'cache-control': opened.cache,
      // Of the file as it is unpacked: who reads it knows what to make room for.
      'x-file-bytes': String(piece.bytes),
    },
  };
}

async function readRequest(call: Call): Promise<z.output<typeof reportRequest>> {
  const text = await readBody(call.request);
  if (text === '') return {};
  bodyType(call.request, ['application/json']);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const read = reportRequest.safeParse(body);
  if (!read.success)
    throw new HttpError(400, 'the body asks for nothing known', 'send {"revise": true}, or nothing');
  return read.data;
}

async function askCall({ reports, clock, wanted }: ReportCalls, call: Call): Promise<Reply> {
  const month = monthOf(call);
  const { revise = false } = await readRequest(call);
  const asked = await reports.ask(month, { revise, isDraft: isDraft(call) });
  wanted.ring();
  const at = clock.now();
  if (asked.result === 'early') {
    const { dueAt } = asked;
    const error = `the report of ${month} is made at ${timeText(dueAt)}, when what comes late has come`;
    return json(409, {
      error,
      remedy: `wait for it, or have a draft made: highwater report ${month} --draft (over HTTP ?draft=1)`,
      at,
      dueAt,
    });
  }
  if ('because' in asked) throw new HttpError(asked.result === 'busy' ? 409 : 404, asked.because);
  const answer: ReportAsked = { ...asked, at };
  return json(asked.result === 'there' ? 200 : 202, answer);
}

const revision = 'Which; the newest when left out';
const draft = '1: the draft, which is unsigned and kept for a day';

export function reportRoutes(parts: ReportCalls): Route[] {
  const { reports } = parts;
  const bytes = z.string();
  return [
    {
      method: 'GET',
      path: '/v1/reports',
      access: 'read',
      says: { summary: 'Monthly reports, and what is being made', gives: { 'application/json': reportList } },
      handle: async () => json(200, await reports.list()),
    },
    {
      method: 'GET',
      path: '/v1/reports/:month',
      access: 'read',
      pool: POOL,
      says: {
        summary: 'The report of a month, to the byte as it was signed',
        query: { revision, draft },
        gives: { 'application/json': report },
      },
      handle: (call) => fileCall(parts, call, names.report),
    },
    {
      method: 'GET',
      path: '/v1/reports/:month/:file',
      access: 'read',
      pool: POOL,
      says: {
        summary: `A file of a report: ${[...reportFiles, reportArchive].join(', ')}`,
        query: { revision, draft },
        gives: { 'text/plain': bytes, 'application/gzip': bytes },
      },
      handle: (call) => fileCall(parts, call, call.params['file'] ?? ''),
    },
    {
      method: 'GET',
      path: '/v1/reports/:month/bundle/*name',
      access: 'read',
      pool: POOL,
      says: {
        summary: 'One file of the bundle of a report, compressed as it lies in the archive',
        query: { revision, draft },
        gives: { 'application/octet-stream': bytes },
      },
      handle: (call) => bundleCall(parts, call),
    },
    {
      method: 'POST',
      path: '/v1/reports/:month',
      says: {
        summary: 'Has the report of a month made that has settled, another revision of it, or a draft',
        query: { draft: '1: a draft, at any time' },
        takes: { 'application/json': reportRequest },
        gives: { 'application/json': reportAsked },
      },
      handle: (call) => askCall(parts, call),
    },
  ];
}
