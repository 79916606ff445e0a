import { expect, test } from 'vitest';
import { placeWords, placedText } from './places.ts';

const rpc = 'counted.services.rpc';

test.each([
  [`${rpc}.subjects.rpc.totals.down`, 'rpc, minutes down'],
  [`${rpc}.subjects.rpc/two eu.totals.unknownSplit`, 'rpc/two as eu saw it, minutes unknown (split vote)'],
  [`${rpc}.subjects.rpc/two@eu.totals.up`, 'rpc/two as eu saw it, minutes up'],
  [`${rpc}.subjects.rpc.totals.inMaintenance.up`, 'rpc, minutes up, within maintenance'],
  [`${rpc}.minutes`, 'rpc, minutes counted'],
  [`${rpc}.days.rpc/two.days.3.1`, 'rpc/two, day 4, minutes down'],
  [`${rpc}.outages.0.minutes`, 'rpc, outages'],
  [`${rpc}.latency.rpc@*.p50Tenths`, 'rpc, latency'],
  ['counted.probes.eu-1+1a2b+AA/xy=.lines', 'probe eu-1, lines'],
  ['counted.probes.eu-1.lines', 'probe eu-1, lines'],
  ['logs.2026.size', 'how far the log was counted'],
  ['logged.files.policy', 'the files that the report signs'],
  ['logged.constructor.x', undefined],
  [`${rpc}.subjects.rpc.totals.constructor`, undefined],
  [`${rpc}.days.rpc.days.3.9`, undefined],
  ['something else', undefined],
])('%s is %s', (path, words) => {
  expect(placeWords(path)).toBe(words);
});

test('a difference keeps its path, and what has none stays as it is', () => {
  expect(placedText(`${rpc}.subjects.rpc.totals.down: 25 -> 23`)).toBe(
    `rpc, minutes down: 25 -> 23 (${rpc}.subjects.rpc.totals.down)`,
  );
  expect(placedText('it is not here')).toBe('it is not here');
  expect(placedText('entry 3: it is not signed')).toBe('entry 3: it is not signed');
});
