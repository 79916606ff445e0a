import type { Maintenance } from '@highwater/config/wire.ts';
import { describe, expect, it } from 'vitest';
import { cancelledText, declaredText, listText, requestOf } from './commands/maintenance.ts';

const at = Date.UTC(2026, 10, 21, 16, 30, 12);
const one: Maintenance = {
  id: '5f0c2ab1c3d4e5f6',
  title: 'New disks',
  of: ['rpc/eu', 'ws'],
  startsAt: Date.UTC(2026, 10, 22, 2),
  endsAt: Date.UTC(2026, 10, 22, 4),
  declaredAt: at,
  state: 'planned',
};

describe('what maintenance prints', () => {
  it('of one that was declared: its id alone on the first line, its minutes, the warnings', () => {
    const warnings = ['it counts only from 02:00 UTC, the first minute after it was logged'];
    expect(declaredText({ result: 'declared', maintenance: one, warnings, at })).toBe(
      `5f0c2ab1c3d4e5f6
rpc/eu, ws from 2026-11-22 02:00 UTC to 2026-11-22 04:00 UTC (120 minutes)
warning: it counts only from 02:00 UTC, the first minute after it was logged
`,
    );
    expect(declaredText({ result: 'held', maintenance: one, warnings: [], at })).toContain(
      'declared already: ',
    );
  });

  it('of one without a start: from when it counts, as a fact and not as a warning', () => {
    const done = { result: 'declared' as const, maintenance: one, warnings: [], at };
    expect(declaredText(done, true).split('\n')[2]).toBe(
      'it counts from 2026-11-22 02:00 UTC, the first minute after it was declared',
    );
    expect(declaredText(done, true)).not.toContain('warning');
    expect(declaredText({ ...done, result: 'held' }, true)).not.toContain('counts from');
  });

  it('of all: a table', () => {
    const active: Maintenance = {
      ...one,
      id: 'aa',
      state: 'active',
      startsAt: at - 60_000,
      endsAt: at + 3_600_000,
    };
    const over: Maintenance = { ...one, id: 'bb', state: 'over', cancelledAt: at };
    expect(listText({ at, maintenance: [one, active, over] })).toBe(
      `ID                STATE                FROM                  TO                    OF         TITLE
5f0c2ab1c3d4e5f6  planned, in 9 h      2026-11-22 02:00 UTC  2026-11-22 04:00 UTC  rpc/eu ws  New disks
aa                active, 60 min left  2026-11-21 16:29 UTC  2026-11-21 17:30 UTC  rpc/eu ws  New disks
bb                over, ended early    2026-11-22 02:00 UTC  2026-11-22 04:00 UTC  rpc/eu ws  New disks
`,
    );
    expect(listText({ at, maintenance: [] })).toBe('no maintenance was declared\n');
  });

  it.each([
    ['cancelled' as const, 'covers nothing\n'],
    ['active' as const, 'covers nothing from 2026-11-22 04:00 UTC on\n'],
  ])('of one that was cancelled, %s', (state, text) => {
    expect(cancelledText({ ...one, state })).toContain(text);
  });
});

describe('what maintenance add asks for', () => {
  const flags = { of: ['rpc'], title: 'T', for: '2h' };
  it.each([
    [{}, { title: 'T', of: ['rpc'], forMs: 7_200_000 }],
    [{ from: 'now' }, { title: 'T', of: ['rpc'], forMs: 7_200_000 }],
    [
      { from: 'in 1h', body: 'B' },
      { title: 'T', body: 'B', of: ['rpc'], startsAt: at + 3_600_000, forMs: 7_200_000 },
    ],
  ])('%j', (more, expected) => {
    expect(requestOf({ ...flags, ...more }, at)).toEqual(expected);
  });

  it.each([
    [{ for: '2 hours' }, '--for 2 hours: not a duration'],
    [{ for: '10s' }, '--for 10s: at least a minute'],
    [{ from: '2020-01-01T00:00Z' }, '--from 2020-01-01T00:00Z: is over already'],
    [{ title: ' ' }, '--title: one line'],
    [{ title: 'a\nb' }, '--title: one line'],
    [{ body: 'a\u001b[2J' }, '--body: at most'],
    [{ of: ['x'.repeat(201)] }, '--of: 1 to 1000 names'],
    [{ from: '2026-11-22T02:00' }, '--from 2026-11-22T02:00: which zone is that? Write 2026-11-22T02:00Z'],
  ])('refuses %j', (more, error) => {
    expect(() => requestOf({ ...flags, ...more }, at)).toThrow(error);
  });
});
