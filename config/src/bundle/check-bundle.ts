/** All of a bundle: its evidence, and the report that was made of it. What `highwater verify` and the page's `/verify` run. */
import { decodeUtf8, sameBytes, utf8 } from '../proof/bytes.ts';
import { leafHash } from '../proof/leaf-hash.ts';
import { parseTlogProof } from '../proof/tlog-proof.ts';
import { verifyInclusion } from '../proof/tree.ts';
import { renderCsv } from '../report/csv.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderReadme } from '../report/readme.ts';
import { MAX_REPORT_BYTES, type Report, parseReport } from '../report/report.ts';
import { againstNote, againstReport } from './against.ts';
import type { Evidence, EvidenceOptions, Problem } from './check.ts';
import type { Checker } from './checker.ts';
import { cosignersOf, openCheckpoint } from './checkpoints.ts';
import { type Found, evidenceOf, find } from './evidence.ts';
import { type BundleFiles, names } from './files.ts';
import { parseNote } from '../proof/note.ts';
import { parseCheckpointText } from '../proof/checkpoint.ts';
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
  const evidence = evidenceOf(reading, found);
  const report = found && (await checkReport(reading, found));
  const problems = reading.problems.list();
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
      await againstProof(reading, found, await note(reading, found, report, json));
    else await ofDraft(reading);
    await againstTexts(reading, report);
  } catch (error) {
    if (!(error instanceof CannotGoOn)) throw error;
  }
  return report;
}

/** Nobody has signed it, and no log has it: it agrees with its evidence or not, and proves nothing of who says so. */
async function ofDraft(reading: Reading): Promise<void> {
  for (const name of [names.note, names.proof]) {
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

/** That the note is in the log: anybody who reads the log finds it there, and every re-issue beside it. */
async function againstProof(reading: Reading, found: Found, entry: Uint8Array | undefined): Promise<void> {
  const { problems, checker } = reading;
  const bytes = await reading.find(names.proof);
  if (bytes === undefined) {
    problems.incomplete(names.proof, 'it is not here: nothing shows that the report is in the log');
    return;
  }
  const say = (says: string): void => {
    problems.mismatch(names.proof, says);
  };
  const text = decodeUtf8(bytes) ?? '';
  const proof = parseTlogProof(text);
  if ('error' in proof) {
    say(proof.error);
    return;
  }
  if (proof.extra !== undefined) say('it has extra data, which nothing proves');
  const opened = parseNote(proof.checkpoint);
  const claimed = 'error' in opened ? opened : parseCheckpointText(opened.text);
  const origin = 'error' in claimed ? '' : claimed.origin;
  const year = found.range.origin.length + 1;
  const key = found.trusted.logs.get(Number(origin.slice(year)));
  if (key?.name !== origin) {
    say('its checkpoint is of no log whose key is here');
    return;
  }
  const checkpoint = await openCheckpoint(reading, proof.checkpoint, key);
  if ('error' in checkpoint) {
    say(`its checkpoint: ${checkpoint.error}`);
    return;
  }
  await cosignersOf(reading, names.proof, checkpoint, found.trusted.policy, text);
  const own = found.logs.byYear.get(Number(origin.slice(year)))?.end;
  if (own !== undefined && checkpoint.size < own.size)
    say('its checkpoint is older than the end of what was counted');
  if (own !== undefined && checkpoint.size === own.size && checkpoint.root !== own.root)
    say('its checkpoint is of another log than the end of what was counted');
  if (entry === undefined) return;
  const claim = {
    index: proof.index,
    size: checkpoint.size,
    leaf: leafHash(entry, checker.hash),
    root: checkpoint.rootBytes,
    proof: proof.proof,
  };
  if (!verifyInclusion(claim, checker.hash)) say('it does not show that report.note is in the log');
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
