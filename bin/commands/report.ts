/** `highwater report`: has a month's report made by the collector, and writes it into files; `report list`. */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMonth } from '@highwater/config/proof/rule/period.ts';
import { serviceFigures } from '@highwater/config/report/figures.ts';
import { parseReport } from '@highwater/config/report/report.ts';
import { reportPlaces } from '@highwater/config/report/words.ts';
import { type ReportList, reportAsked, reportList } from '@highwater/config/wire-reports.ts';
import { Command } from 'commander';
import {
  type CollectorFlags,
  downloadFromCollector,
  getFromCollector,
  postToCollector,
} from '../collector-client.ts';
import { Exit, exitCode } from '../exit.ts';
import { commandLine, nearPath, quoted } from '../hint.ts';
import { writeNewFile } from '../new-file.ts';
import { callersFile } from '../options.ts';
import { plain, printJson, utc } from '../print.ts';
import { progressLine } from '../progress.ts';
import { headlinesText, makingText, reportListText, type WrittenFile, writtenText } from '../report-text.ts';
import { timeLeft } from '../time-left.ts';

interface Flags extends CollectorFlags {
  readonly out?: string;
  readonly revise?: boolean;
  readonly draft?: boolean;
  readonly json?: boolean;
}

const POLL_MS = 1_000;
/** Nothing is being made and nothing was: what went wrong is in the collector's log. */
const QUIET_MS = 60_000;
const JSON_BYTES = 64 * 1024 * 1024;

/** By the end of the file's name: what the collector calls it. */
const forms = [
  ['tar.gz', 'tar.gz'],
  ['json', 'report.json'],
  ['md', 'report.md'],
  ['csv', 'report.csv'],
] as const;

export function reportCommand(): Command {
  return (
    collectorOptions(new Command('report'))
      .description(
        "a month's uptime with all that it takes to verify it: has it made and writes it into files",
      )
      .argument('<YYYY-MM>', 'the month, in UTC')
      .showHelpAfterError('highwater report --help says what to give')
      .option('--out <DIR>', 'where the files are written (default: the current folder)')
      .option('--revise', 'makes another revision of one that is there, which says what differs')
      .option('--draft', 'before the month has settled: unsigned, in no log, not published, kept for a day')
      .option('--json', 'as JSON: the files that were written, and the report list entry')
      .addHelpText(
        'after',
        `
The collector makes the report of each month by itself, when what comes late has come (reports.settle). This command
fetches it, or has it made when it is due. Files of an earlier run are not overwritten unless they are the same.
A report is never edited: what was wrong stands in the next revision, with its differences.
Ends with 0 when the files are written, 1 when it can't be made (yet), 2 when what was given is wrong, 3 when the
collector is not reached.

Examples:
  highwater report 2026-10
  highwater report 2026-10 --out /srv/reports
  highwater report 2026-11 --draft
  highwater report list`,
      )
      // The flags of `list` are its own.
      .enablePositionalOptions()
      .action((month: string, flags: Flags) => run(month, flags))
      .addCommand(listCommand())
  );
}

function listCommand(): Command {
  return collectorOptions(new Command('list'))
    .description('which months have a report, their revisions, and when the next one is made')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  highwater report list')
    .action(async (flags: Flags) => {
      const list = await getFromCollector('/v1/reports', reportList, flags);
      if (flags.json) printJson(list);
      else process.stdout.write(reportListText(list));
    });
}

function collectorOptions(command: Command): Command {
  return command
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--data <DIR>', "where the token is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--insecure', 'plain http to a collector on another machine');
}

async function run(month: string, flags: Flags): Promise<void> {
  if (parseMonth(month) === undefined)
    throw new Exit(
      exitCode.usage,
      `highwater report: ${plain(month)}: not a month, write one such as 2026-10`,
    );
  if (flags.draft && flags.revise)
    throw new Exit(
      exitCode.usage,
      'highwater report: --draft and --revise: a draft has no revisions, give one of them',
    );
  const isDraft = flags.draft === true;
  const folder = outFolder(flags.out);
  const before = await getFromCollector('/v1/reports', reportList, flags);
  const path = `/v1/reports/${month}${isDraft ? '?draft=1' : ''}`;
  const body = flags.revise ? { revise: true } : {};
  const asked = reportAsked.safeParse(await postToCollector(path, body, flags));
  if (!asked.success)
    throw new Exit(
      exitCode.unavailable,
      'highwater report: the collector answers as another version; update it',
    );
  const { revision, at, result } = asked.data;
  const list = result === 'there' ? before : await made({ month, revision, isDraft, at }, before, flags);
  const { files, json } = await writeFiles(month, revision, isDraft, folder, flags);
  const entry = list.reports.find((each) => each.month === month && each.revision === revision);
  if (flags.json) {
    printJson({ month, revision, isDraft, folder, files, ...(entry === undefined ? {} : { report: entry }) });
    return;
  }
  const report = parseReport(json);
  const bundle = quoted(nearPath(join(folder, fileName(month, revision, isDraft, 'tar.gz'))));
  const title = isDraft
    ? `DRAFT of ${month}: unsigned, in no log`
    : `report of ${month}, revision ${revision}`;
  process.stdout.write(
    [
      `${title}\n\n`,
      entry === undefined ? draftHeadlines(report) : headlinesText(entry.services),
      `\n${writtenText(nearPath(folder), files)}`,
      isDraft
        ? `\ncount it again: ${commandLine('verify')} ${bundle} (ends with 2: nobody has signed a draft)\n`
        : `\nverify it: ${commandLine('verify')} ${bundle}\n`,
      ...(isDraft || 'error' in report
        ? []
        : [`page:      ${plain(reportPlaces(report.told.site.url, month).page)}\n`]),
    ].join(''),
  );
}

/** Before anything is made that could not be written then. Throws Exit. */
function outFolder(typed = '.'): string {
  const folder = callersFile(typed);
  const refuse = (says: string, cause?: unknown) =>
    new Exit(exitCode.usage, `highwater report: --out ${plain(typed)}: ${says}`, { cause });
  try {
    if (statSync(folder, { throwIfNoEntry: false })?.isFile()) throw refuse('it is a file; give a folder');
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof Exit) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = outFaults[code] ?? `it can not be written to (${code})`;
    throw refuse(`${why}; give a folder that you may write to`, error);
  }
  return folder;
}

const outFaults: Readonly<Record<string, string>> = {
  ENOTDIR: 'a part of that path is a file',
  EEXIST: 'a part of that path is a file',
  EACCES: 'you may not write there',
  EPERM: 'you may not write there',
  EROFS: 'nothing can be written there',
};

function draftHeadlines(report: ReturnType<typeof parseReport>): string {
  if ('error' in report) return '';
  const until = `counted until ${utc((report.minutes.last + 1) * 60_000)}, as far as it was logged\n\n`;
  const services = serviceFigures(report).map(({ id, name, totals, printed }) => ({
    id,
    name,
    ...totals,
    ...(printed.figure === undefined ? {} : { uptime: printed.figure }),
    ...(printed.coverage === undefined ? {} : { coverage: printed.coverage }),
    incomplete: printed.incomplete,
  }));
  return `${until}${headlinesText(services)}`;
}

interface Wanted {
  readonly month: string;
  readonly revision: number;
  readonly isDraft: boolean;
  /** When it was asked for, as the collector's clock has it. */
  readonly at: number;
}

/** Waits until it is there; what it told last. Throws Exit. */
async function made(wanted: Wanted, before: ReportList, flags: Flags): Promise<ReportList> {
  const { month, revision, isDraft, at } = wanted;
  const progress = progressLine();
  const left = timeLeft(() => performance.now());
  let seenAt = performance.now();
  try {
    for (;;) {
      const list = await getFromCollector('/v1/reports', reportList, flags);
      const isThere = isDraft
        ? list.drafts.some((draft) => draft.month === month && draft.madeAt >= at)
        : list.reports.some((report) => report.month === month && report.revision === revision);
      if (isThere) return list;
      const { making, failed } = list;
      if (making !== undefined) {
        seenAt = performance.now();
        progress.says(`${plain(makingText(making))}${left(making.doneBytes, making.allBytes)}`);
      } else if (failed?.month === month && failed.tries !== before.failed?.tries) {
        throw new Exit(exitCode.no, `highwater report: ${month} can not be made: ${plain(failed.because)}`);
      } else if (performance.now() - seenAt > QUIET_MS) {
        throw new Exit(exitCode.no, `highwater report: ${month} is not made; the collector's log says why`);
      }
      await sleep(POLL_MS);
    }
  } finally {
    progress.end();
  }
}

/** The first revision has the plain name. */
function fileName(month: string, revision: number, isDraft: boolean, form: string): string {
  const kind = isDraft ? '-draft' : revision > 1 ? `-r${revision}` : '';
  return `report-${month}${kind}.${form}`;
}

async function writeFiles(
  month: string,
  revision: number,
  isDraft: boolean,
  folder: string,
  flags: Flags,
): Promise<{ files: WrittenFile[]; json: string }> {
  const query = isDraft ? 'draft=1' : `revision=${revision}`;
  const files: WrittenFile[] = [];
  let json = '';
  for (const [form, file] of forms) {
    const name = fileName(month, revision, isDraft, form);
    const content = await downloadFromCollector(`/v1/reports/${month}/${file}?${query}`, flags);
    if (form === 'json') {
      let bytes = 0;
      const parts: Buffer[] = [];
      content.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes <= JSON_BYTES) parts.push(part);
      });
      content.once('end', () => (json = Buffer.concat(parts).toString('utf8')));
    }
    const written = await writeNewFile(join(folder, name), content, { replaces: isDraft });
    if (written === 'differs') {
      const where = nearPath(join(folder, name));
      throw new Exit(
        exitCode.no,
        `highwater report: ${plain(where)}: another file has this name, and stays; move it, or give --out DIR`,
      );
    }
    files.push({ name, ...written });
  }
  return { files, json };
}
