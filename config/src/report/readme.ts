/** The README.md of a bundle: what its files are, how to check them with this program or any other, what that proves. Pure. */
import { anchorLine } from './anchor.ts';
import type { RenderOptions } from './markdown.ts';
import { instantText, minuteText } from './markdown-log.ts';
import { markdownTable } from './markdown-table.ts';
import { markdownCode, markdownText, MAX_PROSE_RUNES } from './outside.ts';
import type { Report } from './report.ts';
import {
  draftFile,
  draftWords,
  figureMeaning,
  monthName,
  notProvenWords,
  programWords,
  witnessesText,
  probesByOthers,
  provenWords,
  reportPlaces,
  unknownCauses,
} from './words.ts';

const files: readonly (readonly [name: string, what: string])[] = [
  ['range', 'which month, and which part of which logs is here'],
  ['keys', 'verifier keys: of the operator, of the logs'],
  ['policy', 'the witnesses, and how many have to have cosigned (c2sp.org/tlog-policy)'],
  ['logs/YEAR/start.checkpoint', "the log before the month's first batch (c2sp.org/tlog-checkpoint)"],
  ['logs/YEAR/end.checkpoint', 'the log as far as it was counted, with its cosignatures'],
  ['logs/YEAR/consistency', 'the proof that the second begins with the first: hashes in base64, one a line'],
  ['logs/YEAR/frontier', 'hashes of the full subtrees before the first entry that is here'],
  [
    'leaves/YEAR/INDEX, .tlog-proof',
    'earlier entries that still matter, with the proof that each is in the log (c2sp.org/tlog-proof)',
  ],
  ['configs/HASH', 'public texts of configurations, by their SHA-256 in hex'],
  ['logs/YEAR/entries/N', 'entries of the log as entry bundles (c2sp.org/tlog-tiles)'],
  ['bodies/DATE/SERVICE/NNN', 'what the probes observed: one line an observation, in the order of the log'],
  ['report.json', 'the figures'],
  ['report.note', 'its leaf, signed by the operator (c2sp.org/signed-note): the SHA-256 of report.json'],
  ['report.tlog-proof', 'the proof that this leaf is in the log'],
  ['report.consistency', 'the proof that the log with this leaf continues the one that was counted'],
  ['report.md, report.csv', 'the same figures to read and to work with, made from report.json alone'],
  ['README.md', 'this text'],
  ['index', 'of an archive: where in it each file lies; no evidence, and nothing of it is believed'],
];

export function renderReadme(report: Report, { isDraft = false }: RenderOptions = {}): string {
  const { month, told, revision, minutes, rule } = report;
  const name = isDraft ? draftFile(month) : reportPlaces(told.site.url, month).file;
  return `${[
    `# Uptime report of ${markdownText(monthName(month))}: ${markdownText(told.site.name)}`,
    '',
    ...(isDraft ? [`**${draftWords}**`, ''] : []),
    `${isDraft ? 'Draft' : `Revision ${revision}`}, made ${instantText(told.madeAt)} by ${markdownText(told.operator)}, of ${minuteText(minutes.first)} to ${minuteText(minutes.last)}, by ${rule}. To be read by people: \`report.md\`.`,
    '',
    'This folder holds all that it takes to count the figures of the report again: what the probes signed, by which configuration it was judged, and the proof that it is what was logged then. No network and no account is needed, and nobody has to be asked.',
    '',
    '## Files, in the order in which they lie in the archive',
    '',
    markdownTable(
      ['File', 'What it is'],
      files.map(([file, what]) => [`\`${file}\``, what]),
      2,
    ),
    '',
    '`report.json` has three parts: `counted` follows from the lines, `logged` from other entries of the log, and `told` is the word of the operator.',
    '',
    '## Checking it with Highwater',
    '',
    `    highwater verify ${name}`,
    `    highwater verify ${name} --monitor SERVICE`,
    `    highwater verify ${name} --policy FILE`,
    '',
    'The first counts everything again; the second reads the observations of one service alone, and says nothing of the others; the third takes the witnesses from your file in place of the one in the bundle. It ends with 0 when everything agrees, with 1 when something is not what was signed or counted, with 2 when something is missing or too few witnesses have signed, and with 3 when it was called in a wrong way.',
    '',
    programWords,
    '',
    'The keys in this folder are its own word: get the key of the operator from somewhere else, compare it with the one below, and give it with `--key VKEY`. `--anchor LINE` holds the log against a line such as the one below that you found in a place that the operator cannot rewrite.',
    '',
    'A page that checks this in a browser is served by the party that is checked: whoever wants to be sure takes the program from elsewhere, and the bundle with it.',
    '',
    '## Checking it with any other program',
    '',
    'Only tar, gzip, SHA-256 and Ed25519 are needed. All texts are UTF-8 with LF.',
    '',
    '1. The checkpoints are signed notes of the keys in `keys`; the cosignatures are those of the witnesses in `policy`.',
    '2. The hash of an entry is SHA-256 of a zero byte and the entry, of an inner node SHA-256 of a one byte and its two children (RFC 6962). `frontier` and the entries make the root of `end.checkpoint`.',
    '3. Each entry is a note with one signature. Batches (`highwater/batch/v1`) name the one before by `prev`: the newest of each unbroken chain stands for all of it.',
    '4. A batch commits to its bodies: `body SERVICE LINES BYTES HASH` says how many bytes of the files of that day and service come next, and their SHA-256. A first line `missing YEAR INDEX WHY` says that a body is not here.',
    '5. `rule/v1` makes minutes of lines and totals of minutes, in integers alone. Its text and its test vectors are in the source of Highwater (`docs/reports.md`, `config/testdata/rule-v1`), and so is a script that shares no code with it and recounts the headline figures (`test/conformance`).',
    '',
    '## What a figure means',
    '',
    ...figureMeaning.map((line) => `- ${line}`),
    '',
    'A minute is unknown for one of these reasons:',
    '',
    ...unknownCauses.map((cause) => `- ${cause.name}: ${cause.says}.`),
    '',
    '## What is proven',
    '',
    ...provenWords.map((line) => `- ${line}`),
    '',
    '## What is not proven',
    '',
    ...notProvenWords(probesByOthers(report.counted.probes)).map((line) => `- ${line}`),
    '',
    ...(isDraft ? ['## Keys', ''] : anchorSection(report)),
    `Key of the operator: ${markdownCode(report.operatorKey)}`,
    '',
    `Witnesses: ${witnessesText(report.witnesses)}`,
    '',
    `Keys of the logs: ${report.logs.map(({ key }) => markdownCode(key)).join(', ')}`,
  ].join('\n')}\n`;
}

function anchorSection(report: Report): string[] {
  const { anchor } = report.told;
  return [
    '## Anchor',
    '',
    'The log at the end of what was counted. Where this line stands in a place that the operator cannot rewrite, it shows that no other history is told here:',
    '',
    `    ${anchorLine(report)}`,
    ...(anchor === undefined
      ? []
      : ['', `The operator says that it stands here: ${markdownText(anchor, MAX_PROSE_RUNES)}`]),
    '',
  ];
}
