/** The evidence of a bundle: an honest one has no problems and counts what the rule counts; two logs, one service, earlier leaves. */
import { describe, expect, it } from 'vitest';
import { sha256 } from '../keys.ts';
import { nodeChecker } from '../node-checker.ts';
import { evaluate } from '../proof/rule/evaluate.ts';
import { checkEvidence } from './evidence.ts';
import { filesOf } from './testing/files.ts';
import { smallBundle } from './testing/small.ts';

describe('an honest bundle', () => {
  it.each([{}, { filler: 0, minutes: 240 }, { isTwoLogs: true }])(
    'has no problems, and all of it is read: %o',
    async (options) => {
      const { files, evidence, range } = smallBundle(options);
      const own = filesOf(files);
      const found = await checkEvidence(own, nodeChecker());
      expect(found.problems).toEqual([]);
      expect(own.asked).toEqual([...files.keys()]);
      const rule = evaluate(evidence, range, sha256);
      for (const { id, subjects } of found.counted.services) {
        const totals = subjects.find(({ subject, region }) => subject === id && region === undefined)?.totals;
        expect(totals).toEqual(rule.services.get(id)?.totals);
      }
      expect(found.counted.services.map(({ id }) => id)).toEqual(['rpc', 'web']);
    },
  );
});
