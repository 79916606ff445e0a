/** A report at the page, by its address: which one is meant, which is the newest, and its archive as it comes. */
import { Readable } from 'node:stream';
import { parseMonth } from '@highwater/config/proof/rule/period.ts';
import { z } from 'zod';
import { Exit } from './exit.ts';
import { reasonOf } from './http-files.ts';
import { plain } from './print.ts';

/** Until the first byte, and between any two pieces. */
const QUIET_MS = 30_000;
const MAX_LIST_BYTES = 32 * 1024 * 1024;

/** What a typed address means. `report` is `https://status.example.com/reports/2026-10`, whatever its end was. */
export type ReportPlace = { readonly report: string } | { readonly site: string };

/** Undefined for what is no http or https URL. */
export function reportPlace(typed: string): ReportPlace | undefined {
  const url = /^https?:\/\//i.test(typed) && URL.canParse(typed) ? new URL(typed) : undefined;
  if (url === undefined) return undefined;
  const path = url.pathname.replace(/\/+$/, '');
  const match = /^(.*\/reports\/([0-9]{4}-[0-9]{2}))(?:\.(?:tar\.gz|json|md|csv))?$/.exec(path);
  if (match && parseMonth(match[2] ?? '') !== undefined) return { report: `${url.origin}${match[1] ?? ''}` };
  return { site: `${url.origin}${path.replace(/\/(?:reports(?:\.json)?|verify)$/, '')}` };
}

const list = z.object({ reports: z.array(z.object({ month: z.string() })) });

function unreachable(asked: string, reason: string): string {
  const remedy =
    'is the address right, and the page reachable from here? A bundle that you have is verified without it';
  return `highwater verify: ${plain(asked)} can not be read (${plain(reason)}); ${remedy}`;
}

/** Address of the newest report of a site. Throws Exit with `code` where it is not told, and with what to write. */
export async function newestReport(site: string, code: number, deadlineMs = QUIET_MS): Promise<string> {
  const asked = `${site}/reports.json`;
  const remedy = `write which report: ${site}/reports/YYYY-MM`;
  const refuse = (says: string, cause?: unknown) =>
    new Exit(code, `highwater verify: ${plain(asked)} ${says}; ${plain(remedy)}`, { cause });
  let text: string;
  try {
    const answer = await fetch(asked, { redirect: 'manual', signal: AbortSignal.timeout(deadlineMs) });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      throw refuse(`does not tell which reports there are (${answer.status})`);
    }
    text = await boundedText(answer);
  } catch (error) {
    throw error instanceof Exit
      ? error
      : new Exit(code, unreachable(asked, reasonOf(error, deadlineMs)), { cause: error });
  }
  const read = list.safeParse(parseJson(text));
  if (!read.success) throw refuse('is no list of reports');
  const months = read.data.reports
    .map(({ month }) => month)
    .filter((month) => parseMonth(month) !== undefined);
  const newest = months.toSorted().at(-1);
  if (newest === undefined) throw refuse('has no report yet');
  return `${site}/reports/${newest}`;
}

async function boundedText(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > MAX_LIST_BYTES) throw new Error(`it has over ${MAX_LIST_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A report's archive as it comes. Throws Exit with `code` where there is none; what goes wrong later fails the stream. */
export async function httpArchive(report: string, code: number, quietMs = QUIET_MS): Promise<Readable> {
  const asked = `${report}.tar.gz`;
  const refuse = (says: string, cause?: unknown) =>
    new Exit(code, `highwater verify: ${plain(asked)} ${says}`, { cause });
  const stop = new AbortController();
  const waiting = () =>
    setTimeout(() => stop.abort(new Error(`nothing came for ${quietMs / 1_000} s`)), quietMs);
  const first = waiting();
  try {
    const answer = await fetch(asked, { redirect: 'manual', signal: stop.signal });
    const { status } = answer;
    if (status !== 200 || answer.body === null) {
      await answer.body?.cancel();
      if (status === 404 || status === 410) throw refuse('is not there; is the month right?');
      const to = (answer.headers.get('location') ?? '').slice(0, 300);
      if (status >= 300 && status < 400)
        throw refuse(`leads elsewhere (${status}, to ${plain(to)}), which is not followed`);
      throw refuse(`is refused (${status})`);
    }
    return Readable.from(watched(answer.body, waiting, stop), {
      objectMode: false,
    });
  } catch (error) {
    if (error instanceof Exit) throw error;
    throw new Exit(code, unreachable(asked, reasonOf(error, quietMs)), { cause: error });
  } finally {
    clearTimeout(first);
  }
}

/** Time counts while it is waited for, not while nobody asks. */
async function* watched(
  body: AsyncIterable<Uint8Array>,
  waiting: () => NodeJS.Timeout,
  stop: AbortController,
): AsyncGenerator<Uint8Array, undefined> {
  let timer = waiting();
  try {
    for await (const part of body) {
      clearTimeout(timer);
      yield part;
      timer = waiting();
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}
