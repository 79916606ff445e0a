/** What an operator, or a probe, could try so that lines are not counted: each is told, or refused. */
import { describe, expect, it } from 'vitest';
import { sha256 } from '../keys.ts';
import { nodeChecker } from '../node-checker.ts';
import { encodeBase64, utf8 } from '../proof/bytes.ts';
import { openCount } from '../proof/count/open-count.ts';
import { leafHash } from '../proof/leaf-hash.ts';
import { formatConfigLeaf, formatMaintLeaf, formatProbeLeaf } from '../proof/leaves.ts';
import { type RuleConfig, formatProjection } from '../proof/projection.ts';
import {
  MAX_ALL_MONITORS,
  MAX_CONFIG_LEAVES,
  MAX_KEYS,
  MAX_MONITORS,
  MAX_VIEWS,
  tooLarge,
  tooManyLeaves,
  tooManyViews,
} from './caps.ts';
import type { Evidence } from './check.ts';
import { checkEvidence } from './evidence.ts';
import { type Assembly, assembleEvidence } from './testing/assemble.ts';
import { filesOf } from './testing/files.ts';
import { smallBundle } from './testing/small.ts';
import { smallConfig, smallKey, smallKeys } from './testing/small-config.ts';

const MINUTES = 40;
const { assembly, day } = smallBundle({ minutes: MINUTES });
const [log] = assembly.logs;
if (log === undefined) throw new Error('no log');
const own = log.entries.slice(0, log.size);
const firstBatch = own.findIndex((entry) =>
  Buffer.from(entry).toString('utf8').startsWith('highwater/batch/'),
);
const checker = nodeChecker();

const signed = (text: string): Uint8Array => utf8(smallKeys.operator.sign(text));
const { origin } = assembly;

interface Config {
  readonly text: string;
  readonly leaf: Uint8Array;
}
function configured(config: RuleConfig, from: number): Config {
  const text = formatProjection(config);
  const bytes = utf8(text);
  const leaf = { origin, from, bytes: bytes.length, hash: encodeBase64(sha256(bytes)) };
  return { text, leaf: signed(formatConfigLeaf(leaf)) };
}
const privateWeb: RuleConfig = {
  ...smallConfig,
  services: smallConfig.services.map((each) =>
    each.id === 'web' ? { ...each, visibility: 'private' } : each,
  ),
};

/** The log with other entries; the bodies of those that `of` gives the old place of go along. */
function withEntries(
  entries: readonly Uint8Array[],
  projections: readonly string[] = [],
  of: ReadonlyMap<Uint8Array, number> = new Map(own.map((entry, i) => [entry, i])),
  body: Assembly['body'] = (...at) => assembly.body(...at),
): Promise<Evidence> {
  const other: Assembly = {
    ...assembly,
    projections: [...new Set([...assembly.projections, ...projections])],
    logs: [{ ...log, entries, size: entries.length } as typeof log & object],
    body(year, index, service) {
      const old = of.get(entries[index] ?? new Uint8Array());
      return old === undefined ? 'gone' : body(year, old, service);
    },
  };
  return checkEvidence(filesOf(new Map(assembleEvidence(other))), checker);
}

/** Batches of the month signed anew, each naming the one before it, with texts as `edit` makes them. */
function resigned(edit: (text: string, at: number, probe: string) => string) {
  const keys = new Map([smallKeys.asia, smallKeys.eu, smallKeys.us].map((key) => [key.name, key]));
  const before = new Map<string, string>();
  const of = new Map<Uint8Array, number>();
  const entries = own.map((entry, i) => {
    const note = Buffer.from(entry).toString('utf8');
    const key = keys.get(/\nprobe (.*)\n/.exec(note)?.[1] ?? '');
    if (!note.startsWith('highwater/batch/') || key === undefined) {
      of.set(entry, i);
      return entry;
    }
    const minute = Number(/\nminutes ([0-9]+)/.exec(note)?.[1]) - day;
    let text = edit(note.slice(0, note.lastIndexOf('\n\n') + 1), minute, key.name);
    const prev = before.get(key.name);
    if (prev !== undefined) text = text.replace(/\nprev .*\n/, `\nprev ${prev}\n`);
    const made = utf8(key.sign(text));
    before.set(key.name, encodeBase64(leafHash(made, sha256)));
    of.set(made, i);
    return made;
  });
  return { entries, of };
}

describe('bodies', () => {
  it('that a configuration out of force keeps private are missing, and told', async () => {
    const { text, leaf } = configured(privateWeb, day + 525_600);
    const hash = encodeBase64(leafHash(leaf, sha256));
    const { entries, of } = resigned((batch, at) =>
      at >= 10 && at < 20 ? batch.replace(/\nconfig .*\n/, `\nconfig ${hash}\n`) : batch,
    );
    // Before all batches of the month.
    const place = own.findIndex((entry) => !of.has(entry));
    const shifted = [...entries.slice(0, place), leaf, ...entries.slice(place)];
    const { counted, remarks } = await withEntries(shifted, [text], of);
    const [missing] = counted.missing.filter(({ service }) => service === 'web');
    const lost = entries.filter((entry) => {
      const note = Buffer.from(entry).toString('utf8');
      return note.includes(`\nconfig ${hash}\n`) && note.includes('\nbody web ');
    });
    expect(lost.length).toBeGreaterThan(20);
    expect(missing?.bodies).toBe(lost.length);
    expect(remarks.map(({ says }) => says)).toContainEqual(
      expect.stringMatching(`^${lost.length} of [0-9]+ bodies of web are not here`),
    );
    const honest = await withEntries(own);
    expect([honest.counted.missing, honest.remarks]).toEqual([[], []]);
  });

  it('that do not parse are told with their batch and why, and are no observations', async () => {
    const broken = utf8('web/www/http no line\n');
    const ref = `\nbody web 1 ${broken.length} ${encodeBase64(sha256(broken))}\n`;
    let before = 0;
    const { entries, of } = resigned((batch, at, probe) => {
      if (at !== 5 || probe !== 'eu-1') return batch;
      before = Number(/\nbody web ([0-9]+) /.exec(batch)?.[1]);
      return batch.replace(/\nbody web .*\n/, ref);
    });
    const changed = entries.find((entry) => Buffer.from(entry).toString('utf8').includes(ref));
    const place = of.get(changed ?? new Uint8Array()) ?? -1;
    const evidence = await withEntries(entries, [], of, (year, index, service) =>
      index === place && service === 'web' ? broken : assembly.body(year, index, service),
    );
    const honest = await withEntries(own);
    expect(before).toBeGreaterThan(0);
    expect(evidence.problems).toEqual([]);
    expect(evidence.amount.lines).toBe(honest.amount.lines - before);
    expect(evidence.remarks).toEqual([
      {
        file: expect.stringMatching(/^bodies\/.*\/web\/000$/) as string,
        says: `entry ${place} of 2026, a batch of eu-1: the body of web has a line that does not belong in it, so that all of it counts for nothing`,
      },
    ]);
  });
});

describe('leaves that are logged afterwards', () => {
  const keyLeaf = (act: 'enrol' | 'revoke', from: number): Uint8Array[] =>
    smallConfig.probes.map(({ id, region, vkey, operator }) =>
      signed(formatProbeLeaf({ origin, act, from, probe: id, region, key: vkey, operator })),
    );
  const maintenance = signed(
    formatMaintLeaf({ act: 'declare', origin, from: day + 10, last: day + MINUTES + 20, subjects: ['web'] }),
  );

  it('change nothing that is past, also where all keys were revoked from afar in between', async () => {
    const [revoked, enrolled] = [keyLeaf('revoke', day + 9_000_000), keyLeaf('enrol', day)];
    const tried = await withEntries([...own, ...revoked, maintenance, ...enrolled]);
    const honest = await withEntries([...own, maintenance]);
    const figures = ({ counted }: Evidence) => counted.services.find(({ id }) => id === 'web')?.subjects;
    expect(figures(tried)).toEqual(figures(honest));
    const [told] = tried.logged.maintenance;
    expect(told?.countsFrom).toBeGreaterThanOrEqual(day + MINUTES);
    expect(told?.regionsAhead).toBeUndefined();
  });

  it('and take force in the past, since others are waited for that never send, tell how many regions had reached it', async () => {
    const ghosts = [1, 2, 3, 4].map((i) => ({
      id: `g-${i}`,
      region: `g${i}`,
      operator: 'Volunteers',
      vkey: smallKey(`g-${i}`).vkey,
    }));
    const { text, leaf } = configured(
      {
        ...smallConfig,
        regions: [...smallConfig.regions, ...ghosts.map(({ region }) => region)].sort(),
        probes: [...smallConfig.probes, ...ghosts].sort((a, b) => (a.id < b.id ? -1 : 1)),
      },
      day,
    );
    const enrolled = ghosts.map(({ id, region, vkey, operator }) =>
      signed(formatProbeLeaf({ origin, act: 'enrol', from: day, probe: id, region, key: vkey, operator })),
    );
    const { logged } = await withEntries(
      [...own.slice(0, firstBatch), leaf, ...enrolled, ...own.slice(firstBatch), maintenance],
      [text],
    );
    expect(logged.maintenance[0]).toMatchObject({ countsFrom: day + 10, regionsAhead: 3, isLate: false });
  });
});

describe('more than a check takes up', () => {
  const probes = (count: number) => Array.from({ length: count }, (_, i) => ({ leaf: { key: `k${i}` } }));
  const [monitor] = smallConfig.monitors;
  const monitors = (count: number): RuleConfig['monitors'] => {
    if (monitor === undefined) throw new Error('no monitor');
    return Array.from({ length: count }, () => monitor);
  };

  it.each([
    ['none at all', tooManyLeaves({ configs: [], probes: [] }), undefined],
    [
      'all that are taken',
      tooManyLeaves({ configs: Array.from({ length: MAX_CONFIG_LEAVES }), probes: probes(MAX_KEYS) }),
      undefined,
    ],
    [
      'one more',
      tooManyLeaves({ configs: Array.from({ length: MAX_CONFIG_LEAVES + 1 }), probes: [] }),
      'it has 17521 configurations; a check takes up 17520 at most',
    ],
    [
      'keys',
      tooManyLeaves({ configs: [], probes: [...probes(MAX_KEYS), ...probes(MAX_KEYS + 1)] }),
      'it has 4097 keys of probes; a check takes up 4096 at most',
    ],
    ['what a day takes', tooManyViews(MAX_VIEWS), undefined],
    [
      'and one more',
      tooManyViews(MAX_VIEWS + 1),
      'it has 110001 monitors by region in a day; a check takes up 110000 at most',
    ],
    ['monitors', tooLarge({ ...smallConfig, monitors: monitors(MAX_MONITORS) }, 0), undefined],
    [
      'one monitor more',
      tooLarge({ ...smallConfig, monitors: monitors(MAX_MONITORS + 1) }, 0),
      'it has 12001 monitors; a check takes up 12000 at most',
    ],
    [
      'all of them together',
      tooLarge({ ...smallConfig, monitors: monitors(1) }, MAX_ALL_MONITORS),
      'it has 500001 monitors with those before; a check takes up 500000 at most',
    ],
  ])('%s', (_, says, expected) => {
    expect(says).toBe(expected);
  });

  it('of one day is what its monitors take, as agreed and by each region that speaks', () => {
    const range = { first: 1_440, last: 2_879 };
    const configs = [{ index: 0, hash: 'c1', from: 1_500, config: smallConfig }];
    const probes = smallConfig.probes.slice(0, 2).map(({ id, region, operator, vkey }, i) => ({
      index: i + 1,
      hash: `p${i}`,
      leaf: { origin, act: 'enrol' as const, from: 1_600, probe: id, region, key: vkey, operator },
    }));
    const count = openCount({
      range,
      configs,
      probes,
      maints: [],
      batches: [],
      voidFrom: () => Infinity,
      hash: sha256,
    });
    const hidden = smallConfig.services.filter(({ visibility }) => visibility === 'private');
    const told = smallConfig.monitors.filter(
      ({ id }) => !hidden.some((each) => id.startsWith(`${each.id}/`)),
    );
    expect([count.views(0), count.views(1)]).toEqual([0, 3 * told.length]);
  });

  it('is told as incomplete, and nothing is counted', async () => {
    const { leaf } = configured(smallConfig, day);
    const leaves = Array.from({ length: MAX_CONFIG_LEAVES }, () => leaf);
    const { problems, counted } = await withEntries([...own, ...leaves]);
    expect(problems.map(({ kind, file }) => [kind, file])).toEqual([['incomplete', 'range']]);
    expect(problems[0]?.says).toMatch(/^it has 175[0-9]{2} configurations; a check takes up 17520 at most$/);
    expect(counted.services).toEqual([]);
  });
});
