/** All of a bundle: its evidence, and the report that was made of it. What `highwater verify` and the page's `/verify` run. */
import { decodeUtf8, sameBytes, utf8 } from '../proof/bytes.ts';
import { renderCsv } from '../report/csv.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderReadme } from '../report/readme.ts';
import { MAX_REPORT_BYTES, type Report, parseReport } from '../report/report.ts';
import { againstProof } from './against-proof.ts';
import { againstNote, againstReport } from './against.ts';
import type { Evidence, EvidenceOptions, Problem } from './check.ts';
import type { Checker } from './checker.ts';
import { type Found, evidenceOf, find } from './evidence.ts';
import { type BundleFiles, names } from './files.ts';
import { CannotGoOn } from './problems.ts';
import { Reading } from './reading.ts';

export interface Checked {
  readonly evidence: Evidence;
  /** As it was told, right or wrong; left out when it could not be read, or nothing could be held against it. */
  readonly report?: Report;
  /** Of the evidence, then of the report. Empty: everything agrees. */
  readonly problems: readonly Problem[];
}

/** Rejects as checkEvidence. With `options.service` the figures of that service alone are compared. */
export async function checkBundle(
  files: BundleFiles,
  checker: Checker,
  options: EvidenceOptions = {},
): Promise<Checked> {
  const reading = new Reading(files, checker, options);
  const found = await find(reading);
  const ofEvidence = evidenceOf(reading, found);
  const report = found && (await checkReport(reading, found));
  const problems = reading.problems.list();
  const evidence = { ...ofEvidence, remarks: reading.problems.remarks() };
  return { evidence, problems, ...(report === undefined ? {} : { report }) };
}

/** Of the files behind the evidence; what was found stays as it is. */
export async function checkReport(reading: Reading, found: Found): Promise<Report | undefined> {
  const { problems } = reading;
  const isWhole = found.isWhole;
  let report: Report | undefined;
  try {
    const json = await reading.need(names.report, MAX_REPORT_BYTES);
    await reading.turn(() => ({ phase: 'report', done: 0, all: json.length, of: names.report }));
    const read = parseReport(decodeUtf8(json) ?? '');
    if ('error' in read) return problems.fatal('mismatch', names.report, read.error);
    report = read;
    againstReport(reading, found, report, isWhole);
    if (found.range.last === undefined)
      await againstProof(reading, found, report, await note(reading, found, report, json));
    else await ofDraft(reading);
    await againstTexts(reading, report);
  } catch (error) {
    if (!(error instanceof CannotGoOn)) throw error;
  }
  return report;
}

/** Nobody has signed it, and no log has it: it agrees with its evidence or not, and proves nothing of who says so. */
async function ofDraft(reading: Reading): Promise<void> {
  for (const name of [names.note, names.proof, names.continues]) {
    if ((await reading.find(name)) !== undefined) reading.problems.mismatch(name, 'a draft has no such file');
  }
  reading.problems.incomplete(names.note, 'this is a draft: unsigned, in no log');
}

async function note(
  reading: Reading,
  found: Found,
  report: Report,
  json: Uint8Array,
): Promise<Uint8Array | undefined> {
  const bytes = await reading.find(names.note);
  if (bytes === undefined) {
    reading.problems.incomplete(names.note, 'it is not here: the report is signed by nobody');
    return undefined;
  }
  await againstNote(reading, found, report, json, decodeUtf8(bytes) ?? '');
  return bytes;
}

/** What is made of report.json alone is made again. */
async function againstTexts(reading: Reading, report: Report): Promise<void> {
  const kind = { isDraft: report.draft !== undefined };
  const texts = [
    [names.markdown, renderMarkdown],
    [names.csv, renderCsv],
    [names.readme, renderReadme],
  ] as const;
  for (const [name, render] of texts) {
    const bytes = await reading.find(name, MAX_REPORT_BYTES);
    if (bytes === undefined) reading.problems.incomplete(name, 'it is not here');
    else if (!sameBytes(bytes, utf8(render(report, kind))))
      reading.problems.mismatch(name, 'it is not what this program makes of report.json');
  }
}
