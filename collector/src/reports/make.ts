/**
 * Makes a report: the engine that checks bundles reads this one as it is gathered, while what it reads goes into the archive;
 * then the report's figures are what it found. Nothing is signed here.
 */
import { bundledProof } from '@highwater/config/bundle/bundled.ts';
import { checkEvidence } from '@highwater/config/bundle/evidence.ts';
import type { Evidence, Progress } from '@highwater/config/bundle/check.ts';
import { type BundleFiles, names } from '@highwater/config/bundle/files.ts';
import { nodeChecker } from '@highwater/config/node-checker.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { parsePolicy } from '@highwater/config/proof/policy.ts';
import { formatReportLeaf } from '@highwater/config/proof/report-leaf.ts';
import { printedUptime } from '@highwater/config/proof/rule/printed.ts';
import { differencesOf } from '@highwater/config/report/differences.ts';
import { totalsOf } from '@highwater/config/report/figures.ts';
import { formatReport, parseReport, type Report } from '@highwater/config/report/report.ts';
import { summaryLines } from '@highwater/config/report/summary.ts';
import { renderCsv } from '@highwater/config/report/csv.ts';
import { renderMarkdown } from '@highwater/config/report/markdown.ts';
import { renderReadme } from '@highwater/config/report/readme.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { ReadTx } from '../store/store.ts';
import { type ArchiveState, type ArchiveWriter, openArchiveWriter } from './archive-writer.ts';
import {
  archivePath,
  bytesOf,
  fileOf,
  makeReportsFolder,
  partPath,
  publishPart,
  readIndex,
  writeIndex,
} from './folder.ts';
import { gather } from './gather.ts';
import { NoReport } from './no-report.ts';
import { type Asked, type EndedLog, type Plan, planReport } from './plan.ts';
import type { ArchiveEnd, Headline, Made } from './states.ts';
import { type ToldConfig, toldIncidents, toldServices } from './told.ts';

/** What the thread is told; all of it is plain data. */
export interface MakeData extends Omit<Asked, 'draftAt'> {
  readonly revision: number;
  readonly isDraft: boolean;
  readonly madeAt: number;
  readonly operatorKey: string;
  readonly policy: string;
  readonly config: ToldConfig;
  readonly beforeMonths: Report['told']['before'];
  /** The revision before, and the leaf hash of its note. */
  readonly supersedes?: { readonly revision: number; readonly leaf: string; readonly name: string };
  /** Of reports; and the name of this one in there. */
  readonly folder: string;
  readonly name: string;
}

/** `log` is a view of the log's shard, `house` one of the house's. */
export interface MakeViews {
  readonly log: ReadTx;
  readonly house: ReadTx;
  readonly blobs: Blobs;
}

/** What is in the log is not what was signed: no report is made of it. */
export class Mismatch extends Error {
  override name = 'Mismatch';
}

/** Files that are read go into the archive, in the order in which they are. */
function tee(files: BundleFiles, writer: ArchiveWriter): BundleFiles {
  return {
    async read(name, maxBytes) {
      const bytes = await files.read(name, maxBytes);
      if (bytes !== undefined) await writer.add(name, bytes);
      return bytes;
    },
  };
}

function demandSound({ problems }: Evidence): void {
  const wrong = problems.filter(({ kind }) => kind === 'mismatch');
  if (wrong.length === 0) return;
  const told = wrong.slice(0, 3).map(({ file, says }) => `${file}: ${says}`);
  const more = wrong.length > told.length ? `, and ${wrong.length - told.length} more` : '';
  throw new Mismatch(`${told.join('; ')}${more}`);
}

async function previous(data: MakeData): Promise<Report | undefined> {
  if (data.supersedes === undefined) return undefined;
  const archive = archivePath(data.folder, data.supersedes.name);
  const piece = (await readIndex(archive))?.pieces.find(({ name }) => name === names.report);
  if (piece === undefined)
    throw new Error(`revision ${data.supersedes.revision} is not there to be compared with`);
  const report = parseReport(Buffer.from(await fileOf(archive, piece)).toString('utf8'));
  if ('error' in report) throw new Error(`revision ${data.supersedes.revision}: ${report.error}`);
  return report;
}

async function reportOf(data: MakeData, plan: Plan, evidence: Evidence, house: ReadTx): Promise<Report> {
  const { config, supersedes } = data;
  const { anchor } = config.reports ?? {};
  const logs = evidence.range.trees.map(({ year, start, size }) => {
    const { root = '', vkey: key = '' } =
      plan.logs.find((log) => log.year === year) ?? ({} as Partial<EndedLog>);
    return { year, start, size, root, key };
  });
  const fresh: Report = {
    version: 1,
    rule: 'rule/v1',
    month: data.month,
    revision: data.revision,
    minutes: plan.minutes,
    ...(plan.range.last === undefined ? {} : { draft: { lastMinute: plan.range.last } }),
    origin: data.origin,
    operatorKey: evidence.trust.operatorKey,
    witnesses: { signed: evidence.trust.witnesses.signed.length, all: evidence.trust.witnesses.all },
    logs,
    counted: evidence.counted,
    logged: evidence.logged,
    told: {
      site: config.site,
      operator: config.operator,
      madeAt: data.madeAt,
      services: toldServices(config, evidence.counted.services),
      incidents: await toldIncidents(house, config, plan.minutes),
      before: data.beforeMonths,
      ...(anchor === undefined ? {} : { anchor }),
    },
  };
  const before = await previous(data);
  if (before === undefined || supersedes === undefined) return fresh;
  const { revision, leaf } = supersedes;
  return { ...fresh, supersedes: { revision, leaf, ...differencesOf(before, fresh) } };
}

function headlineOf(report: Report, trees: Headline['trees']): Headline {
  const services = report.counted.services.map((service) => {
    const { id } = service;
    const told = report.told.services.find((each) => each.id === id);
    const {
      up = 0,
      down = 0,
      unknown = 0,
      stalled = 0,
      degraded = 0,
      maintenance = 0,
    } = totalsOf(service, id) ?? {};
    const { figure, coverage, incomplete } = printedUptime({ up, down, unknown });
    return {
      id,
      name: told?.name ?? id,
      ...(told?.objectiveMillionths === undefined ? {} : { objectiveMillionths: told.objectiveMillionths }),
      up,
      down,
      unknown,
      stalled,
      degraded,
      maintenance,
      ...(figure === undefined ? {} : { uptime: figure }),
      ...(coverage === undefined ? {} : { coverage }),
      incomplete,
    };
  });
  const { supersedes } = report;
  return {
    services,
    lines: summaryLines(report),
    trees: [...trees],
    ...(supersedes === undefined ? {} : { differences: supersedes.differences.length + supersedes.more }),
  };
}

const endOf = ({ length, bytes, crc32 }: ArchiveState): ArchiveEnd => ({ length, bytes, crc32 });

const tarFolder = ({ month, isDraft }: MakeData): string => `${isDraft ? 'draft' : 'report'}-${month}`;

async function addRendered(writer: ArchiveWriter, report: Report, isDraft: boolean): Promise<void> {
  await writer.add(names.markdown, utf8(renderMarkdown(report, { isDraft })));
  await writer.add(names.csv, utf8(renderCsv(report, { isDraft })));
  await writer.add(names.readme, utf8(renderReadme(report, { isDraft })));
}

/**
 * Rejects with NoReport where there is nothing, and with Mismatch where the evidence does not hold. A draft is whole after
 * it; of a report all is there but what its leaf's place in the log gives.
 */
export async function makeReport(
  data: MakeData,
  { log, house, blobs }: MakeViews,
  progress: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<Made> {
  await makeReportsFolder(data.folder);
  const plan = await planReport(log, data.isDraft ? { ...data, draftAt: data.madeAt } : data);
  const { operatorKey, policy } = data;
  const path = partPath(data.folder, data.name);
  const writer = await openArchiveWriter(path, { folder: tarFolder(data), at: data.madeAt });
  try {
    const files = tee(await gather({ tx: log, blobs, plan, operatorKey, policy }), writer);
    const evidence = await checkEvidence(files, nodeChecker(), { progress, ...(signal && { signal }) });
    demandSound(evidence);
    const report = await reportOf(data, plan, evidence, house);
    const json = utf8(formatReport(report));
    progress({ phase: 'report', done: 0, all: json.length, of: names.report });
    await writer.add(names.report, json);
    const trees = report.logs.map(({ year, size, root }) => ({ year, size, root }));
    const made: Omit<Made, 'archive'> = {
      phase: 'made',
      madeAt: data.madeAt,
      leafText: formatReportLeaf({
        origin: data.origin,
        month: data.month,
        revision: data.revision,
        minutes: plan.minutes,
        trees,
        bytes: json.length,
        hash: encodeBase64(sha256(json)),
      }),
      headline: headlineOf(
        report,
        trees.map(({ year, size }) => ({ year, size })),
      ),
    };
    if (data.isDraft) {
      await addRendered(writer, report, true);
      const state = await writer.finish();
      await publishPart(data.folder, data.name, state);
      return { ...made, archive: endOf(state) };
    }
    const state = await writer.pause();
    await writer.close();
    await writeIndex(path, state);
    return { ...made, archive: endOf(state) };
  } catch (error) {
    await writer.close().catch(() => undefined);
    throw error;
  }
}

export interface FinishData {
  readonly folder: string;
  readonly name: string;
  readonly month: string;
  readonly madeAt: number;
  readonly archive: ArchiveEnd;
  readonly note: string;
  /** c2sp.org/tlog-proof of the note. */
  readonly proof: string;
  /** That its checkpoint continues what was counted. */
  readonly consistency: string;
}

/** Adds what comes behind report.json, and gives the archive its name. Repeatable: also when it was all done before. */
export async function finishReport(
  data: FinishData,
): Promise<{ readonly bytes: number; readonly files: number }> {
  const [path, whole] = [partPath(data.folder, data.name), archivePath(data.folder, data.name)];
  const state = await orLost(path, readIndex(path));
  const isPart = (await bytesOf(path)) !== undefined && state?.length === data.archive.length;
  if (state === undefined || !isPart) {
    const done = await readIndex(whole);
    if (done === undefined) throw new NoReport(`${path} is gone`);
    return { bytes: done.length, files: done.pieces.length };
  }
  const text = async (wanted: string): Promise<string> => {
    const piece = state.pieces.find(({ name }) => name === wanted);
    if (piece === undefined) throw new NoReport(`${path} has no ${wanted}`);
    return Buffer.from(await orLost(path, fileOf(path, piece))).toString('utf8');
  };
  const report = parseReport(await text(names.report));
  if ('error' in report) throw new NoReport(`${path}: ${report.error}`);
  // The one that is in the bundle: the configuration may have changed since.
  const policy = parsePolicy(await text(names.policy), sha256);
  if ('error' in policy) throw new NoReport(`${path}: ${policy.error}`);
  const writer = await openArchiveWriter(path, { folder: `report-${data.month}`, at: data.madeAt, state });
  try {
    await writer.add(names.note, utf8(data.note));
    await writer.add(names.proof, utf8(bundledProof(data.proof, policy, sha256)));
    await writer.add(names.continues, utf8(data.consistency));
    await addRendered(writer, report, false);
    const done = await writer.finish();
    await publishPart(data.folder, data.name, done);
    return { bytes: done.length, files: done.pieces.length };
  } catch (error) {
    await writer.close().catch(() => undefined);
    throw error;
  }
}

/** What is there and is not what was written never comes right again; what the disk refuses now may. */
async function orLost<T>(path: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    throw new NoReport(`${path} is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
}
