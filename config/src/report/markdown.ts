/** A report as Markdown, for a post in a forum: tables of GitHub's kind that read well as plain text too. Pure. */
import { anchorLine } from './anchor.ts';
import { partlyCounted } from './counted-span.ts';
import {
  certificatesSection,
  lagSection,
  latencySection,
  outagesSection,
  uptimeSection,
} from './markdown-figures.ts';
import {
  changesSection,
  dayText,
  incidentsSection,
  instantText,
  maintenanceSection,
  minuteText,
  probesSection,
} from './markdown-log.ts';
import { markdownCode, markdownText, MAX_PROSE_RUNES } from './outside.ts';
import { placed } from './places.ts';
import type { Report } from './report.ts';
import {
  draftFile,
  draftWords,
  grouped,
  isPlainAddress,
  operatorKeyWords,
  programWords,
  witnessesText,
  monthName,
  notProvenWords,
  probesByOthers,
  provenWords,
  reportPlaces,
} from './words.ts';

/** Of two revisions; report.json has more of them. */
const MAX_SHOWN_DIFFERENCES = 20;

export interface RenderOptions {
  /** Says on top that this is none: unsigned, in no log. */
  readonly isDraft?: boolean;
}

export function renderMarkdown(report: Report, { isDraft = false }: RenderOptions = {}): string {
  const lines = [
    ...head(report, isDraft),
    ...uptimeSection(report),
    ...outagesSection(report, minuteText),
    ...incidentsSection(report),
    ...maintenanceSection(report),
    ...changesSection(report),
    ...latencySection(report),
    ...lagSection(report),
    ...certificatesSection(report, dayText),
    ...probesSection(report),
    ...differencesSection(report),
    ...trustSection(report, isDraft),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function head(report: Report, isDraft: boolean): string[] {
  const { month, revision, minutes, told, rule } = report;
  const partly = partlyCounted(report, markdownText);
  return [
    `# Uptime of ${markdownText(told.site.name)} in ${markdownText(monthName(month))}`,
    '',
    ...(isDraft ? [`**${draftWords}**`, ''] : []),
    `${isDraft ? 'Draft' : `Revision ${revision}`}, made ${instantText(told.madeAt)} by ${markdownText(told.operator)}. Counted by ${rule} from ${minuteText(minutes.first)} to ${minuteText(minutes.last)} (${grouped(minutes.last - minutes.first + 1)} minutes). All times are UTC.`,
    '',
    ...(partly.length === 0
      ? []
      : ['Not all of it was counted:', '', ...partly.map((line) => `- ${line}`), '']),
  ];
}

function differencesSection({ supersedes }: Report): string[] {
  if (supersedes === undefined) return [];
  const { revision, leaf, differences, more } = supersedes;
  const shown = differences.slice(0, MAX_SHOWN_DIFFERENCES);
  const rest = differences.length - shown.length + more;
  return [
    '## Differences to the revision before',
    '',
    `This replaces revision ${revision} (leaf ${markdownCode(leaf)}), which stays in the log.`,
    '',
    ...(shown.length === 0 ? ['No figure differs.'] : shown.map((line) => `- ${differenceText(line)}`)),
    ...(rest > 0 ? [`- ${grouped(rest)} more`] : []),
    '',
  ];
}

/** A path has dots, which are no links where all of it is code. */
function differenceText(line: string): string {
  const { words, says, path } = placed(line);
  if (!/^[\w./:*@-]+$/u.test(path)) return markdownText(line, MAX_PROSE_RUNES);
  const what = markdownText(says, MAX_PROSE_RUNES);
  return words === undefined ? `\`${path}\`: ${what}` : `${markdownText(words)}: ${what} (\`${path}\`)`;
}

function trustSection(report: Report, isDraft: boolean): string[] {
  const { page, file: published, bundle, verify } = reportPlaces(report.told.site.url, report.month);
  const file = isDraft ? draftFile(report.month) : published;
  const { anchor } = report.told;
  const line = anchorLine(report);
  return [
    '## What is proven, and what is not',
    '',
    'Proven to whoever checks the bundle:',
    '',
    ...provenWords.map((words) => `- ${words}`),
    '',
    'Not proven:',
    '',
    ...notProvenWords(probesByOthers(report.counted.probes)).map((words) => `- ${words}`),
    '',
    '## Check it yourself',
    '',
    'The bundle has all that it takes to count every figure again, without a network:',
    '',
    `    highwater verify ${file}`,
    `    highwater verify ${isDraft ? file : page} --monitor SERVICE`,
    `    highwater verify ${file} --key 'VKEY'`,
    '',
    programWords,
    '',
    `- key: ${markdownCode(report.operatorKey)}. ${operatorKeyWords}`,
    `- witnesses: ${witnessesText(report.witnesses)}`,
    ...(isDraft
      ? ['', 'A draft is on no page, and nobody has signed it: highwater verify says so, and ends with 2.']
      : [
          `- page: ${addressText(page)}`,
          `- bundle: ${addressText(bundle)}`,
          `- in a browser: ${addressText(verify)} (a check that is served by the party that it checks is best run from elsewhere: README.md in the bundle says how)`,
          '',
          `The log at the end of what was counted, as one line of ${line.length} characters:`,
          '',
          `    ${line}`,
          ...(anchor === undefined
            ? []
            : ['', `The operator says that it stands here too: ${markdownText(anchor, MAX_PROSE_RUNES)}`]),
        ]),
  ];
}

/** A link to the site itself. */
function addressText(url: string): string {
  return isPlainAddress(url) ? `<${url}>` : markdownText(url);
}
