/** Runs the *.table files of config/testdata/rule-v1: one function each, inputs left, expected text right. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../keys.ts';
import { parseDurationMs } from '../../time.ts';
import { phaseMs } from '../due.ts';
import { quorumOf } from './monitor.ts';
import { printedUptime } from './printed.ts';
import { windowMinutesOf } from './window.ts';

function rowsOf(name: string): { line: string; input: string[]; expected: string }[] {
  const text = readFileSync(new URL(`../../../testdata/rule-v1/${name}`, import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.includes('=>') && !line.startsWith('#'));
  return rows.map((line) => {
    const [left = '', expected = ''] = line.split('=>');
    return { line, input: left.trim().split(' '), expected: expected.trim() };
  });
}

function printed([up, down, unknown]: readonly string[]): string {
  const { incomplete, ...texts } = printedUptime({
    up: Number(up),
    down: Number(down),
    unknown: Number(unknown),
  });
  const shown = Object.entries(texts).map(([key, value]) => `${key}=${String(value).replace(' ', '')}`);
  return [...shown, ...(incomplete ? ['incomplete'] : [])].join(' ');
}

const tables: Readonly<Record<string, (input: readonly string[]) => string>> = {
  'printed.table': printed,
  'window.table': ([every = '']) => String(windowMinutesOf(parseDurationMs(every) ?? 0)),
  'quorum.table': ([n, declared]) =>
    String(quorumOf(Number(n), declared === '-' ? undefined : Number(declared))),
  'due.table': ([seed = '', monitor = '', probe = '', every]) =>
    String(phaseMs(seed, monitor, probe, Number(every), sha256)),
};

for (const [name, run] of Object.entries(tables)) {
  describe(name, () => {
    const rows = rowsOf(name);
    test('has rows', () => expect(rows.length).toBeGreaterThan(5));
    for (const { line, input, expected } of rows) test(line, () => expect(run(input)).toBe(expected));
  });
}

test('an interval over a day, or none, has no window', () => {
  expect(() => windowMinutesOf(86_400_001)).toThrow(RangeError);
  expect(() => windowMinutesOf(0)).toThrow(RangeError);
});
