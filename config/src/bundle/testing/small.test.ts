/** The small world of other tests is what it says: its files fit the formats, and all that it has is there. */
import { describe, expect, it } from 'vitest';
import { openCheckpoint, parseVerifier, sha256 } from '../../keys.ts';
import { decodeUtf8 } from '../../proof/bytes.ts';
import { evaluate } from '../../proof/rule/evaluate.ts';
import { parseTlogProof } from '../../proof/tlog-proof.ts';
import { compareNames } from '../order.ts';
import { parseRange } from '../range.ts';
import { smallBundle } from './small.ts';

describe('the small bundle', () => {
  it.each([{}, { filler: 0 }, { isTwoLogs: true }])(
    'has its files in order, each as its format says: %o',
    (options) => {
      const { files, assembly } = smallBundle(options);
      expect([...files.keys()].sort(compareNames)).toEqual([...files.keys()]);
      const text = (name: string): string => decodeUtf8(files.get(name) ?? new Uint8Array()) ?? '';
      const range = parseRange(text('range'));
      if ('error' in range) throw new Error(range.error);
      expect(range.trees.map(({ year }) => year)).toEqual(options.isTwoLogs ? [2026, 2027] : [2026]);
      for (const { year, key, size } of assembly.logs) {
        const end = openCheckpoint(text(`logs/${year}/end.checkpoint`), parseVerifier(key.vkey));
        expect(end).toMatchObject({ checkpoint: { size } });
      }
      expect(files.has('logs/2026/start.checkpoint')).toBe(options.filler !== 0);
      for (const { year, index } of range.leaves) {
        expect(parseTlogProof(text(`leaves/${year}/${index}.tlog-proof`))).toMatchObject({ index });
      }
      expect([...files.keys()].filter((name) => name.startsWith('bodies/'))).toHaveLength(3);
    },
  );

  it('has all that a report has to cope with', () => {
    const { evidence, range, day } = smallBundle();
    const result = evaluate(evidence, range, sha256);
    // Of the second text under one number there are no bodies, and of a private service none that a reader knows.
    const problems = result.problems.filter((problem) => !problem.endsWith('the body of inner is missing'));
    expect(problems.map((problem) => problem.replace(/^leaf \d+: /, ''))).toEqual([
      'the body of chain.demo is missing',
      'the body of rpc is missing',
      'the body of web is missing',
    ]);
    const of = (subject: string) => (result.services.get(subject) ?? result.nodes.get(subject))?.totals;
    expect(of('web')).toMatchObject({ maintenance: 60, inMaintenance: { down: 11 } });
    expect(of('rpc/a')).toMatchObject({ stalled: 20 });
    expect(of('rpc/b')?.maintenance).toBeLessThan(31);
    expect(of('rpc/b')?.down).toBeGreaterThan(0);
    const web = result.services.get('web')?.slots ?? [];
    expect(web.slice(day - range.first).filter((slot) => slot === undefined)).toEqual([]);
    const { unknownNoData, unknownProbe, degraded, down } = of('web') ?? {};
    expect({ unknownNoData, unknownProbe, degraded, down }).toMatchInlineSnapshot(`
      {
        "degraded": 5,
        "down": 10,
        "unknownNoData": 5,
        "unknownProbe": 5,
      }
    `);
  });
});
