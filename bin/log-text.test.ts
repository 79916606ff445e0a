import { noWitnesses } from '@highwater/config/no-witnesses.ts';
import type { LogStatus } from '@highwater/config/wire.ts';
import { describe, expect, it } from 'vitest';
import { isLogWell, logText } from './log-text.ts';

const now = 1_795_000_000_000;
const status: LogStatus = {
  origin: 'status.example.com/log/2026',
  year: 2026,
  key: 'status.example.com/log/2026+1234abcd+AX',
  size: 1_234,
  root: 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
  signedAt: now - 3_000,
  pending: 0,
  witnesses: [],
};
const witness = { name: 'community-1', url: 'https://witness.example.net' };
const refused = {
  since: now - 300_000,
  because: 'witness w1 knows more',
  remedy: 'highwater restore DIR --published URL',
};

describe('log status', () => {
  it('says where the log stands, and plainly what it means to have no witness', () => {
    expect(logText(status, now)).toBe(`status.example.com/log/2026
  entries  1234
  root     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
  signed   3 s ago, 2026-11-18 11:06:37 UTC
  waiting  nothing

witnesses: none
  ${noWitnesses}
  docs/witnesses.md says who can be one and how to add it.
`);
  });

  it.each<[string, Partial<LogStatus>, readonly string[]]>([
    [
      'before the first checkpoint',
      { size: 0, pending: 7 },
      ['waiting  7 acknowledged, in the tree within a minute'],
    ],
    [
      'refused',
      { refused, pending: 2 },
      [
        'waiting  2 acknowledged, in the tree only once the log is signed again\n',
        'NOTHING IS SIGNED for 5 min: witness w1 knows more\n',
        'what to do: highwater restore DIR --published URL\n',
      ],
    ],
    [
      'cosigned',
      { quorum: true, witnesses: [{ ...witness, size: 1_234, at: now - 2_000 }] },
      ['witnesses: as many as', '  community-1  cosigned 1234  2 s ago  https://witness.example.net\n'],
    ],
    [
      'behind',
      {
        quorum: false,
        witnesses: [{ ...witness, size: 1_200, at: now - 600_000, error: 'not reached (ECONNREFUSED)' }],
      },
      [
        'WITNESSES: FEWER',
        'cosigned 1200 of 1234  10 min ago  https://witness.example.net  not reached (ECONNREFUSED)\n',
      ],
    ],
    ['never', { quorum: false, witnesses: [witness] }, ['has cosigned nothing']],
  ])('%s', (_, more, says) => {
    const text = logText({ ...status, ...more }, now);
    for (const words of says) expect(text).toContain(words);
  });

  it('what others wrote cannot drive a terminal', () => {
    const text = logText(
      { ...status, witnesses: [{ ...witness, error: '\u001b[2J\u202e' }], quorum: true },
      now,
    );
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\u202e');
  });

  it.each<[Partial<LogStatus>, boolean]>([
    [{}, true],
    [{ quorum: true }, true],
    [{ quorum: false }, false],
    [{ refused }, false],
    [{ refused, quorum: true }, false],
  ])('with %j it is well: %s', (more, well) => {
    expect(isLogWell({ ...status, ...more })).toBe(well);
  });
});
