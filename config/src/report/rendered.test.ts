import fc from 'fast-check';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { anchorLine } from './anchor.ts';
import { renderCsv } from './csv.ts';
import { serviceFigures } from './figures.ts';
import { renderMarkdown } from './markdown.ts';
import { csvField, markdownCode, markdownProse, markdownText, oneLine } from './outside.ts';
import { renderReadme } from './readme.ts';
import type { Report } from './report.ts';
import { summaryLines, summaryParts } from './summary.ts';
import { sampleReport } from './testing/sample.ts';

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../testdata/report/${name}`, import.meta.url));

describe('the forms of the sample', () => {
  it('are what testdata/report has', async () => {
    await expect(renderMarkdown(sampleReport())).toMatchFileSnapshot(golden('sample.md'));
    await expect(renderCsv(sampleReport())).toMatchFileSnapshot(golden('sample.csv'));
    await expect(renderReadme(sampleReport())).toMatchFileSnapshot(golden('sample-readme.md'));
    await expect(`${summaryLines(sampleReport()).join('\n')}\n`).toMatchFileSnapshot(
      golden('sample-summary.txt'),
    );
  });

  it('of a draft say so on top, and in each row', () => {
    const draft = { isDraft: true };
    expect(renderMarkdown(sampleReport(), draft).split('\n')[2]).toContain('DRAFT: unsigned');
    expect(renderReadme(sampleReport(), draft).split('\n')[2]).toContain('DRAFT: unsigned');
    // It has no page, no bundle to be fetched and no place in a log: only the file that somebody has.
    for (const text of [renderMarkdown(sampleReport(), draft), renderReadme(sampleReport(), draft)]) {
      expect(text).toMatch(/highwater verify report-\d{4}-\d{2}-draft\.tar\.gz\n/);
      expect(text).not.toMatch(/example\.com\/reports\/|^ {4}highwater [a-z.]+\/log\//m);
    }
    const [, ...rows] = parseCsv(renderCsv(sampleReport(), draft));
    expect(new Set(rows.map(([, revision]) => revision))).toEqual(new Set(['DRAFT']));
  });

  it('judge an objective by the bounds: what is not known decides nothing', () => {
    const report = sampleReport();
    const told = report.told.services.find(({ id }) => id === 'rpc');
    const totals = report.counted.services.find(({ id }) => id === 'rpc')?.subjects[0]?.totals;
    if (told === undefined || totals === undefined) throw new Error('the sample has it');
    told.objectiveMillionths = 999_000;
    Object.assign(totals, { up: 41_000, down: 0, unknown: 3_600 });
    expect(renderMarkdown(report)).toMatch(/\| Public RPC .* 99\.9 %: met as far as known \|/);
    expect(renderCsv(report)).toContain('99.9 %,met as far as known');
    expect(summaryLines(report)[2]).toContain(' · 99.9 %: met as far as known · ');
  });

  it('name key and witnesses, and nothing in a command that a shell would take for more', () => {
    const report = { ...sampleReport(), operatorKey: "x'; rm -rf ~ #+1a2b3c4d+AA==" };
    for (const text of [renderMarkdown(report), renderReadme(report)]) {
      expect(text).toContain('rm -rf');
      expect(text.split('\n').filter((line) => /^ {4}.*rm/.test(line))).toEqual([]);
      expect(text).toContain('2 of the 3 witnesses of its policy cosigned');
    }
    expect(renderMarkdown({ ...report, witnesses: { signed: 0, all: 0 } })).toContain('No witness cosigns');
  });

  it('have one line for the anchor, of printable ASCII that fits a memo', () => {
    expect(anchorLine(sampleReport())).toMatch(/^highwater [\w./]+\/2026 312408 [\w+/]{43}=$/);
    expect(anchorLine(sampleReport()).length).toBeLessThan(128);
    expect(() => anchorLine({ origin: 'x', logs: [] })).toThrow('at least one log');
  });

  it('bound what is told of a long list, and say how much more there is', () => {
    const report = sampleReport();
    const [one] = report.told.incidents;
    if (one === undefined) throw new Error('the sample has incidents');
    report.told.incidents = Array.from({ length: 1_000 }, (_, i) => ({ ...one, id: `i-${i}` }));
    const text = renderMarkdown(report);
    expect(text.split('\n').filter((line) => line.startsWith('- began')).length).toBe(60);
    expect(text).toContain('940 more incidents are in `report.json`.');
  });
});

describe('text from outside', () => {
  it.each([
    ['# heading', String.raw`\# heading`],
    ['a | b', String.raw`a \| b`],
    ['one\n\n# two', String.raw`one \# two`],
    ['<script>', String.raw`\<script\>`],
    ['[x](https://e.example)', '\\[x\\](https:\u200b//e.\u200bexample)'],
    ['![x](y)', String.raw`\!\[x\](y)`],
    ['@everyone', '@\u200beveryone'],
    ['www.example', 'www\u200b.example'],
    ['&lt;b&gt;', String.raw`\&lt;b\&gt;`],
    ['- item', String.raw`\- item`],
    ['1. item', String.raw`1\. item`],
    ['---', String.raw`\---`],
    ['a\\|b', String.raw`a\\\|b`],
    ['`code`', '\\`code\\`'],
    ['\u202eevil\u0000', 'evil'],
    ['2026-10', '2026-10'],
    ['\ud800', '\ufffd'],
  ])('%j in Markdown', (text, written) => {
    expect(markdownText(text)).toBe(written);
  });

  it.each([
    ['rpc/eu', '`rpc/eu`'],
    ['a|b', String.raw`a\|b`],
    ['a`b', '`a\\`b`'.slice(1, -1)],
    [' a', 'a'],
    ['', ''],
    ['ü', 'ü'],
  ])('%j as code', (text, written) => {
    expect(markdownCode(text)).toBe(written);
  });

  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['=1+1', `"'=1+1"`],
    ['+49 30', `"'+49 30"`],
    ['-2', `"'-2"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['＝1', `"'＝1"`],
    ['\t=1', `"'=1"`],
    ['\r\n=1', `"'=1"`],
    ['a\r\nb', 'a b'],
    ['a;=1', '"a;=1"'],
  ])('%j as a field of CSV', (text, written) => {
    expect(csvField(text)).toBe(written);
  });

  it.each([
    ['it said target.rpc.error, twice', 'it said `target.rpc.error`, twice'],
    ['target.http.status.', '`target.http.status`.'],
    ['probe.dns.timeout', '`probe.dns.timeout`'],
    ['https://target.rpc.error/x', 'https:\u200b//target.\u200brpc.\u200berror/x'],
    ['target.rpc.example.com', 'target.\u200brpc.\u200bexample.\u200bcom'],
    ['- `target.rpc.json`', '\\- \\``target.rpc.json`\\`'],
  ])('%j as prose', (text, written) => {
    expect(markdownProse(text)).toBe(written);
  });

  it('is cut at its limit', () => {
    expect(Array.from(oneLine('𝒳'.repeat(200), 120)).length).toBe(120);
  });
});

/** What tries to be something else, in any mixture. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          '\n',
          '\r\n',
          '\u2028',
          '\t',
          '|',
          '\\',
          '\\|',
          '`',
          '```',
          '# ',
          '\n# x',
          '\n| a | b |',
          '<b>',
          '<!--',
        ],
        ...['](http://e.example)', '![', '@all', 'https://e.example', '=1+1', '-1', '"', '""', ',', ';', "'"],
        ...['\u202e', '\u200b', '\ud800', '---', '===', '1. ', '    x', '~~~', ' · ', ': ', '%', '&#124;'],
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

const base = sampleReport();
// One service is as good as three, and faster.
base.counted.services = base.counted.services.slice(2);

/** The sample with hostile text wherever the schema has text, and other integers wherever it has integers. */
const hostileReport = fc
  .record({
    texts: fc.array(hostile, { minLength: 1, maxLength: 40 }),
    add: fc.array(fc.nat(), { minLength: 1 }),
  })
  .map(({ texts, add }): Report => {
    let next = 0;
    const changed = (value: unknown, key: string): unknown => {
      if (Array.isArray(value)) return value.map((one) => changed(one, ''));
      if (typeof value === 'object' && value !== null)
        return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, changed(one, name)]));
      next += 1;
      if (['version', 'rule', 'act', 'why'].includes(key)) return value;
      if (typeof value === 'string') return texts[next % texts.length] ?? '';
      if (typeof value !== 'number') return value;
      const other = value * ((add[next % add.length] ?? 0) % 11);
      return Math.min(Number.MAX_SAFE_INTEGER, Math.max(key === 'revision' ? 1 : 0, other));
    };
    return changed(base, '') as Report;
  });

const headingsOf = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => /^ {0,3}#/.test(line))
    .slice(1);

describe('of any report', () => {
  it('Markdown and README have our headings alone, tables whose rows fit, no HTML and no control characters', () => {
    const known = new Set([
      ...headingsOf(renderMarkdown(sampleReport())),
      ...headingsOf(renderReadme(sampleReport())),
      'No minute is unknown.',
    ]);
    fc.assert(
      fc.property(hostileReport, (report) => {
        for (const text of [renderMarkdown(report), renderReadme(report)]) {
          expect(headingsOf(text).filter((line) => !known.has(line))).toEqual([]);
          // eslint-disable-next-line no-control-regex -- that there are none is what is shown
          expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
          expect(text.isWellFormed()).toBe(true);
          let columns = 0;
          for (const line of text.split('\n')) {
            expect(line).not.toMatch(/^ {0,3}(?:```|~~~|===|<|\[)/);
            const bare = line.replace(/\\./gu, '');
            columns = line.startsWith('|') ? columns || bare.split('|').length : 0;
            if (columns > 0) expect(bare.split('|').length, line).toBe(columns);
            const outside = line.startsWith('    ')
              ? ''
              : bare.replace(/`[^`]*`/g, '').replace(/<https?:[^<>]*>/g, '');
            expect(outside, line).not.toMatch(/[<>`]|https?:\/\/|@\w|\]\(/);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('CSV parses back: a row for each subject, its integers, no formula', () => {
    fc.assert(
      fc.property(hostileReport, (report) => {
        const [head, ...rows] = parseCsv(renderCsv(report));
        const subjects = report.counted.services.flatMap((service) => service.subjects);
        expect(rows.length).toBe(subjects.length);
        const column = (row: readonly string[], name: string) => row[head?.indexOf(name) ?? -1];
        for (const [i, row] of rows.entries()) {
          expect(row.length).toBe(head?.length);
          for (const field of row) expect(field).not.toMatch(/^[=+\-@\t\r]/);
          const { totals } = subjects[i] ?? {};
          expect(Number(column(row, 'up'))).toBe(totals?.up);
          expect(Number(column(row, 'inMaintenance.succeeded'))).toBe(totals?.inMaintenance.succeeded);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('a line of the summary is one line, and a service has five parts, whatever its words are', () => {
    const holds = (report: Report): void => {
      const lines = summaryLines(report);
      for (const line of lines) expect(line).not.toMatch(/[\n\r\u2028]/);
      expect(lines.flatMap((line, i) => (summaryParts(line) === undefined ? [] : [i]))).toEqual(
        serviceFigures(report).map((_, i) => i),
      );
    };
    for (let parts = 1; parts <= 6; parts += 1) {
      const origin = Array.from({ length: parts }, () => 'x').join(' · ');
      const report = { ...structuredClone(base), origin };
      report.told.site.url = origin;
      for (const service of report.told.services) service.name = origin;
      holds(report);
    }
    fc.assert(fc.property(hostileReport, holds), { numRuns: 30 });
  });
});

/** RFC 4180 as written: CRLF, quotes doubled. Throws on anything else. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const match = field.exec(text);
    if (!match) throw new Error(`no field at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
    rows.at(-1)?.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
}
