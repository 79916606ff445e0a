/** What stands behind a report, what does not, and how to check it. Pure. */
import { anchorLine } from '@highwater/config/report/anchor.ts';
import type { Report } from '@highwater/config/report/report.ts';
import {
  figureMeaning,
  notProvenWords,
  operatorKeyWords,
  probesByOthers,
  programWords,
  provenWords,
  reportPlaces,
  witnessesText,
} from '@highwater/config/report/words.ts';
import { formatCount } from '../format.ts';

export function trustOf(report: Report) {
  const { page, file: archive } = reportPlaces(report.told.site.url, report.month);
  const anchor = report.logs.length === 0 ? undefined : anchorLine(report);
  return {
    meaning: figureMeaning,
    proven: provenWords,
    notProven: notProvenWords(probesByOthers(report.counted.probes)),
    logs: report.logs.map(({ year, start, size, root, key }) => ({
      name: `${report.origin}/${year}`,
      size: formatCount(size),
      entries: `from entry ${formatCount(start)} on`,
      root,
      key,
    })),
    key: report.operatorKey,
    keySays: operatorKeyWords,
    witnesses: witnessesText(report.witnesses),
    program: programWords,
    /** Origin, size and root in a line. */
    anchor,
    /** Where the operator says that it stands. */
    anchoredIn: report.told.anchor,
    commands: [
      { says: 'All of it, without a network, from the archive:', line: `highwater verify ${archive}` },
      {
        says: 'One service alone, fetching only what belongs to it:',
        line: `highwater verify ${page} --monitor ${report.counted.services[0]?.id ?? 'SERVICE'}`,
      },
      {
        says: "With the operator's key as you have it from elsewhere:",
        // Not the one above: whoever copied that would ask for no more than what the bundle says itself.
        line: `highwater verify ${archive} --key 'VKEY'`,
      },
      ...(anchor === undefined
        ? []
        : [
            {
              says: 'Against the line above, as you have it from elsewhere:',
              line: `highwater verify ${archive} --anchor '${anchor}'`,
            },
          ]),
    ],
  };
}
