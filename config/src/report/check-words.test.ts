import { describe, expect, test } from 'vitest';
import type { Evidence, Problem } from '../bundle/check.ts';
import { emptyCounts, emptyTotals } from '../proof/rule/totals.ts';
import { checkText, checkWords, verdictOf } from './check-words.ts';
import { sampleReport } from './testing/sample.ts';
import type { CountedProbe, CountedService } from './counted.ts';

const service = (id: string, minutes: Partial<CountedService['subjects'][0]['totals']>): CountedService => ({
  id,
  minutes: 44_640,
  subjects: [
    { subject: id, totals: { ...emptyTotals, ...minutes, inMaintenance: { ...emptyCounts } } },
    { subject: id, region: 'eu', totals: { ...emptyTotals, up: 1, inMaintenance: { ...emptyCounts } } },
  ],
  days: [],
  outages: [],
  latency: [],
  latencyDays: [],
  heads: [],
  certificates: [],
});
const probe: CountedProbe = {
  id: 'eu-1',
  key: 'eu-1+00000000+AA==',
  region: 'eu',
  operator: 'Someone',
  isByOthers: true,
  batches: 3,
  lines: 30,
  gaps: [{ epoch: 1, first: 4, last: 9, why: 'dropped' }],
  silent: [{ firstMinute: 29_350_080, minutes: 365 }],
  voided: [{ epoch: 2, from: 7 }],
};
const evidence: Evidence = {
  range: {
    month: '2026-10',
    origin: 'example.com/log',
    trees: [{ year: 2026, start: 5, size: 12_345 }],
    leaves: [],
    before: [],
  },
  counted: {
    services: [service('rpc', { up: 44_000, down: 40, unknown: 600 }), service('web', {})],
    probes: [probe],
    later: [],
    missing: [{ service: 'rpc', date: '2026-10-07', bodies: 1 }],
  },
  logged: {
    configs: [],
    keys: [],
    maintenance: [],
    actions: [],
    annotations: [],
    files: { range: '', keys: '', policy: '' },
  },
  trust: {
    operatorKey: 'example.com/log+11111111+AB==',
    keysFrom: 'bundle',
    policyFrom: 'bundle',
    witnesses: { signed: ['w1'], all: 3, quorum: 'any' },
    probes: { byOthers: 1, all: 2 },
    anchors: [],
  },
  amount: {
    entries: 12_340,
    before: 5,
    batches: 12_000,
    signatures: 2,
    bodies: 24_000,
    lines: 1,
    bytes: 34_567_890,
  },
  problems: [],
  remarks: [],
};
const problem = (kind: Problem['kind']): Problem => ({
  kind,
  file: 'bodies/2026-10-03/rpc/000',
  says: 'is not it',
});

describe('what a check found, in sentences', () => {
  test.each([
    [[], 'good'],
    [['incomplete'], 'incomplete'],
    [['incomplete', 'mismatch'], 'mismatch'],
  ] as const)('%j is %s', (kinds, verdict) => {
    expect(verdictOf({ problems: kinds.map(problem) })).toBe(verdict);
  });

  test('a good one, as text', () => {
    expect(checkText(checkWords(evidence))).toMatchInlineSnapshot(`
      "THE REPORT AGREES WITH ITS EVIDENCE
      Every counted figure of the report of 2026-10 was counted again from signed observations, and is the same.

      Figures:
        rpc  99.9091 %  (coverage 98.6559 %, incomplete; between 98.5663 % and 99.9104 %; 40 min down; 600 min unknown)
        web  no figure  (nothing was counted)

      Gaps:
        eu-1: no line from 2025-10-21 00:00 UTC on for 6 h 5 min
        eu-1: batches 4 to 9 of epoch 1 dropped by its full spool
        eu-1: epoch 2 counts for nothing from batch 7 on: it signed two texts under one number
        2026-10-07: 1 body of rpc gone; what it held counts for nothing

      Who was believed:
        Operator's key: example.com/log+11111111+AB==. It is the one that the bundle itself names: compare it with one from elsewhere.
        Policy: the bundle's own, so its operator chose the witnesses.
        Witnesses: 1 of 3 cosigned the end of the log (w1); asked for: any.
        Probes run by others than the operator: 1 of 2.

      This proves:
        The figures follow from what the probes signed, by rule/v1, and by nothing else: whoever has the bundle can count every integer again.
        Within the part of the log that is here nothing was changed, left out or put in afterwards: all of it hashes into the root that the log signed.
        Silence is counted: which checks were due is in the logged configuration, and a minute without enough answers is unknown and lowers what is known.
        Maintenance counts only from the first minute after it was logged; configurations and keys count from when they were in the log.
        The witnesses that signed were shown this same log: another history for somebody else would need them too.

      This does not prove:
        Whose report it is: the keys are the bundle's own word.
        That the probes really measured: whoever runs all of them can sign lies. 1 of 2 probes is run by others than the operator.
        That nothing was left out before it was logged: a missing batch number is shown as a gap, but a probe that never ran leaves only its silence.
        That all that was logged earlier is here: entries before that part were not looked at. The configurations, keys and maintenance of before that still matter are those that the bundle brings; the report of the month before has them too.
        Which report this one supersedes, where that one lies before the part of the log that is here: that is the word of the operator.
        The exact time: a batch is not older than the tree that its probe had seen and not newer than the witnesses that signed after it. In between the clock of the probe is believed.
        That two readers are shown the same log: that takes a witness of the policy that is independent of the operator, or the root of the log in a place that the operator cannot rewrite.
        That the services were of use to their users: only what the checks check, from where the probes are.
        That no key was stolen: what is signed with a stolen key is good until its revocation is logged.
        That what is measured is chosen well: every change of a setting is in the log, and none is prevented.
        What the operator tells in its own words: names, objectives, incidents with their times and what was written about them, the months before, where the anchor stands.

      Checked:
        Log: example.com/log/2026 to entry 12,345; 5 entries before that part were not looked at, but for those that the bundle brings.
        12,340 entries of the log hashed into the signed root, 12,000 batches of probes among them.
        2 signatures verified; each stands for all batches before it that name one another by hash.
        24,000 bodies with 1 observation compared with what the probes signed, and counted (35 MB read).
      "
    `);
  });

  test('with problems nothing is said to be proven, and each is told with its file', () => {
    const words = checkWords({ ...evidence, problems: [problem('mismatch')] });
    expect(words.proves).toEqual([]);
    expect(checkText(words)).toContain('mismatch: bodies/2026-10-03/rpc/000: is not it');
    expect(checkText(words)).toContain('do not rely on its figures');
  });

  test('a figure that the report has otherwise stands beside what the evidence gives, and its place is in words', () => {
    const report = sampleReport();
    const [rpc] = evidence.counted.services;
    if (rpc === undefined) throw new Error('there is a service');
    report.counted.services = [
      {
        ...rpc,
        subjects: [{ subject: 'rpc', totals: { ...emptyTotals, up: 44_040, down: 0, unknown: 600 } }],
      },
    ];
    const path = 'counted.services.rpc.subjects.rpc.totals.down';
    const says = `${path}: the report says 0, the evidence gives 40`;
    const bad: Problem = { kind: 'mismatch', file: 'report.json', says };
    const text = checkText(checkWords({ ...evidence, problems: [bad] }, { report }));
    expect(text).toContain(
      `mismatch: report.json: rpc, minutes down: the report says 0, the evidence gives 40 [${path}]`,
    );
    expect(text).toContain('What the evidence gives:\n  rpc  99.9091 %');
    expect(text).toContain('40 min down; 600 min unknown; THE REPORT SAYS 100.0000 %, coverage 98.6559 %');
    expect(text).toContain('web  no figure  (nothing was counted; THE REPORT SAYS nothing of it)');
    const agreeing = { ...sampleReport(), counted: evidence.counted };
    expect(checkText(checkWords(evidence, { report: agreeing }))).not.toContain('REPORT SAYS');
  });

  test('a service that was counted in part says since when, and a problem of no file has no empty name', () => {
    const rpc = service('rpc', { up: 1_440 });
    const days = Array.from({ length: 31 }, (_, i) => [i === 30 ? 1_440 : 0, 0, 0, 0, 0, 0] as never);
    const part = { ...rpc, minutes: 1_440, days: [{ subject: 'rpc', days }] };
    const words = checkWords({
      ...evidence,
      counted: { ...evidence.counted, services: [part] },
      problems: [{ kind: 'incomplete', file: '', says: 'the archive ends' }],
    });
    expect(words.figures[0]?.details[0]).toBe('counted from 2026-10-31 on (1,440 of 44,640 minutes)');
    expect(checkText(words)).toContain('incomplete: the archive ends');
  });

  test('of one service alone, with keys and policy of the reader, and nobody else involved', () => {
    const words = checkWords(
      {
        ...evidence,
        trust: {
          ...evidence.trust,
          keysFrom: 'reader',
          policyFrom: 'reader',
          witnesses: { signed: [], all: 0, quorum: 'none' },
          probes: { byOthers: 0, all: 2 },
          anchors: ['example.com/log/2026 12345 AAAA'],
        },
      },
      { service: 'web' },
    );
    expect(words.figures.map(({ service }) => service)).toEqual(['web']);
    expect(words.trust).toMatchInlineSnapshot(`
      [
        "Operator's key: the one that you gave, example.com/log+11111111+AB==.",
        "Policy: the one that you gave.",
        "No witness cosigns this log: only its operator vouches that everybody is shown the same history.",
        "Probes run by others than the operator: 0 of 2.",
        "Anchor: example.com/log/2026 12345 AAAA agrees.",
      ]
    `);
    expect(words.provesNot).toMatchInlineSnapshot(`
      [
        "The figures of other services than web: their observations were not read.",
        "What the report says of probes, of what came later and of what is missing: of one service alone it is not compared.",
        "That the probes really measured: whoever runs all of them can sign lies. None of the 2 probes is run by others than the operator.",
        "That nothing was left out before it was logged: a missing batch number is shown as a gap, but a probe that never ran leaves only its silence.",
        "That all that was logged earlier is here: entries before that part were not looked at. The configurations, keys and maintenance of before that still matter are those that the bundle brings; the report of the month before has them too.",
        "Which report this one supersedes, where that one lies before the part of the log that is here: that is the word of the operator.",
        "The exact time: a batch is not older than the tree that its probe had seen and not newer than the witnesses that signed after it. In between the clock of the probe is believed.",
        "That two readers are shown the same log: that takes a witness of the policy that is independent of the operator, or the root of the log in a place that the operator cannot rewrite.",
        "That the services were of use to their users: only what the checks check, from where the probes are.",
        "That no key was stolen: what is signed with a stolen key is good until its revocation is logged.",
        "That what is measured is chosen well: every change of a setting is in the log, and none is prevented.",
        "What the operator tells in its own words: names, objectives, incidents with their times and what was written about them, the months before, where the anchor stands.",
      ]
    `);
  });

  test('what could not be read to its end says what is wrong and nothing else', () => {
    const words = checkWords({
      ...evidence,
      range: { ...evidence.range, month: '1970-01', origin: '' },
      counted: { services: [], probes: [], later: [], missing: [] },
      problems: [{ kind: 'incomplete', file: 'keys', says: 'it is not here' }],
    });
    expect(checkText(words)).toMatchInlineSnapshot(`
      "THE REPORT CAN'T BE CONFIRMED: SOMETHING IS MISSING
      It could not be read to its end, so that nothing was counted.

      Problems:
        incomplete: keys: it is not here
      "
    `);
  });

  test('of many gaps the first ones are told, and how many there are', () => {
    const silent = Array.from({ length: 30 }, (_, i) => ({ firstMinute: 29_350_080 + 10 * i, minutes: 1 }));
    const probes = [{ ...probe, silent, gaps: [], voided: [] }];
    const { gaps } = checkWords({ ...evidence, counted: { ...evidence.counted, probes, missing: [] } });
    expect(gaps.length).toBe(21);
    expect(gaps.at(-1)).toBe('eu-1: 10 more');
  });
});
