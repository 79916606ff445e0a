import type { Status } from '@highwater/config/domain.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeNode, judgeService } from './subject.ts';
import { judgementOf } from './testing.ts';
import type { Judgement, Standing } from './types.ts';

const words = { u: 'up', g: 'degraded', d: 'down', '?': 'unknown' } as const;
const statusOf = (letter: string): Status => words[letter as keyof typeof words];

/** A monitor for each letter; a capital one does not count. */
function node(letters: string, standing?: Standing): Judgement {
  const monitors = [...letters].map((letter, i) => ({
    id: `rpc/a/c${i + 1}`,
    counts: letter === letter.toLowerCase(),
    judgement: judgementOf(statusOf(letter.toLowerCase()), { sinceDueAt: 100 * (i + 1) }),
  }));
  return judgeNode(monitors, standing && { standing });
}

const head = { chain: 'dev', height: 5_000, at: 0, nodes: 3, references: 0 };
const behind: Standing = {
  head,
  height: 4_000,
  lagBlocks: 1_000,
  lagMs: 1_000_000,
  verdict: 'behind',
  because: '1,000 blocks behind',
};

describe('a node', () => {
  it.each([
    ['', 'unknown', 'no check of it counts'],
    ['u', 'up', 'c1: is up'],
    ['uu', 'up', 'all 2 checks up'],
    ['ud', 'down', 'c2: is down'],
    ['d?', 'down', 'c1: is down'],
    ['dd', 'down', 'c1 and c2: is down'],
    ['u?', 'unknown', 'c2: is unknown'],
    ['ug', 'degraded', 'c2: is degraded'],
    ['g?', 'unknown', 'c2: is unknown'],
    ['uD', 'up', 'c1: is up'],
    ['uG', 'up', 'c1: is up'],
    ['D', 'unknown', 'no check of it counts'],
  ])('with %s is %s because %s', (letters, status, because) => {
    expect(node(letters)).toMatchObject({ status, because });
  });

  it.each([
    ['u', 'degraded', '1,000 blocks behind'],
    ['g', 'degraded', '1,000 blocks behind; c1: is degraded'],
    ['d', 'down', 'c1: is down'],
    ['?', 'unknown', 'c1: is unknown'],
  ])('that is behind, with %s, is %s: lag is never down', (letters, status, because) => {
    expect(node(letters, behind)).toMatchObject({ status, because });
    expect(node(letters, { ...behind, verdict: 'level' }).status).toBe(statusOf(letters));
  });

  it.each([
    ['up', 'degraded', 'degraded', 'tls: degraded in eu: target.tls.expires-soon'],
    ['up', 'down', 'degraded', 'tls: degraded in eu: target.tls.expires-soon'],
    ['up', 'up', 'up', undefined],
    ['up', 'unknown', 'up', undefined],
    ['degraded', 'degraded', 'degraded', 'tls: degraded in eu: target.tls.expires-soon; head: is degraded'],
    ['down', 'degraded', 'down', 'head: is down'],
    ['unknown', 'degraded', 'unknown', 'head: is unknown'],
  ] as const)('%s, with a certificate that is %s, is %s', (head, certificate, status, because) => {
    const why = 'degraded in eu: target.tls.expires-soon';
    const monitors = (warns: boolean) => [
      { id: 'rpc/a/head', counts: true, judgement: judgementOf(head, { because: `is ${head}` }) },
      { id: 'rpc/a/tls', counts: false, warns, judgement: judgementOf(certificate, { because: why }) },
    ];
    const judged = judgeNode(monitors(true));
    expect(judged.status).toBe(status);
    if (because !== undefined) expect(judged.because).toBe(because);
    expect(judgeNode(monitors(false)).status).toBe(head);
  });

  it('whose certificate is about to expire has that as its cause, beside whatever else makes it degraded', () => {
    const urgent = judgementOf('degraded', { cause: 'certificate' });
    const monitors = (head: Judgement['status'], warns: boolean) => [
      { id: 'rpc/a/head', counts: true, judgement: judgementOf(head) },
      { id: 'rpc/a/tls', counts: false, warns, judgement: urgent },
    ];
    expect(judgeNode(monitors('up', true)).cause).toBe('certificate');
    expect(judgeNode(monitors('degraded', true)).cause).toBe('certificate');
    expect(judgeNode(monitors('up', true), { fork: 'another block' }).cause).toBe('certificate');
    expect(judgeNode(monitors('degraded', false)).cause).toBeUndefined();
    expect(judgeNode([{ id: 'rpc/a/tls', counts: true, judgement: urgent }]).cause).toBe('certificate');
    const nodes = new Map([
      ['rpc/a', judgeNode(monitors('up', true))],
      ['rpc/b', judgementOf('degraded')],
    ]);
    const policy = { id: 'rpc', minUp: 1, nodes: ['rpc/a', 'rpc/b'] };
    expect(judgeService(policy, nodes)).toMatchObject({ status: 'degraded', cause: 'certificate' });
  });

  it('is down since the first of its checks, up since the last', () => {
    expect(node('udd').sinceDueAt).toBe(200);
    expect(node('uuu').sinceDueAt).toBe(300);
    expect(node('u?').sinceDueAt).toBeUndefined();
  });

  it('is seen down from where any check is', () => {
    const one = judgementOf('up', { downIn: ['us'], notice: 'down in us alone' });
    const monitors = [
      { id: 'rpc/a/head', counts: true, judgement: one },
      { id: 'rpc/a/http', counts: true, judgement: judgementOf('up', { downIn: ['eu'] }) },
      { id: 'rpc/a/tls', counts: false, judgement: judgementOf('up', { downIn: ['ap'] }) },
    ];
    expect(judgeNode(monitors)).toMatchObject({ downIn: ['eu', 'us'], notice: 'head: down in us alone' });
  });
});

/** A node for each letter. */
function service(
  letters: string,
  minUp: number,
  byPublic?: Judgement,
  downIn: readonly string[][] = [],
): Judgement {
  const nodes = [...letters].map((letter, i) => {
    const where = downIn[i] ?? [];
    const over = { sinceDueAt: 100 * (i + 1), downIn: where, troubleIn: where };
    return [`rpc/n${i + 1}`, judgementOf(statusOf(letter), over)] as const;
  });
  return judgeService({ id: 'rpc', minUp, nodes: nodes.map(([id]) => id) }, new Map(nodes), byPublic);
}

describe('a service', () => {
  it.each([
    ['', 1, 'unknown', 'no node of it is watched'],
    ['u', 1, 'up', 'is up'],
    ['d', 1, 'down', 'is down'],
    ['uu', 1, 'up', '2 of 2 nodes up, 1 needed'],
    ['ud', 1, 'up', '1 of 2 nodes up, 1 needed; n2: is down'],
    ['dd', 1, 'down', '0 of 2 nodes up, 1 needed; n1: is down; n2: is down'],
    ['d?', 1, 'unknown', '0 of 2 nodes up, 1 unknown, 1 needed; n2: is unknown'],
    [
      '??',
      1,
      'unknown',
      'none of 2 nodes is known to be up or down, 1 needed; n1: is unknown; n2: is unknown',
    ],
    ['ud', 2, 'down', '1 of 2 nodes up, 2 needed; n2: is down'],
    ['u?', 2, 'unknown', '1 of 2 nodes up, 1 unknown, 2 needed; n2: is unknown'],
    ['ug', 1, 'up', '2 of 2 nodes up, 1 needed; n2: is degraded'],
    ['ug', 2, 'degraded', '2 of 2 nodes up, 2 needed; n2: is degraded'],
    ['gd', 1, 'degraded', '1 of 2 nodes up, 1 needed; n2: is down; n1: is degraded'],
    ['g?', 1, 'degraded', '1 of 2 nodes up, 1 unknown, 1 needed; n1: is degraded'],
    ['ddddd', 1, 'down', '0 of 5 nodes up, 1 needed; n1: is down; n2: is down; n3: is down; and 2 more'],
  ])('with %s and minUp %i is %s because %s', (letters, minUp, status, because) => {
    expect(service(letters, minUp)).toMatchObject({ status, because });
  });

  it.each(['up', 'degraded', 'down', 'unknown'] as const)(
    'with public checks is %s as they are',
    (status) => {
      expect(service('ddd', 1, judgementOf(status))).toMatchObject({
        status,
        because: `public name: is ${status}`,
      });
    },
  );

  it('is dated from the node that made it so', () => {
    expect(service('ddd', 2).sinceDueAt).toBe(200);
    expect(service('uuu', 2).sinceDueAt).toBe(200);
    expect(service('uud', 3).sinceDueAt).toBe(300);
  });

  it('is seen down from a region only where too few nodes are left', () => {
    const seen = service('uu', 1, undefined, [['eu', 'us'], ['us']]);
    expect(seen).toMatchObject({ downIn: ['us'], troubleIn: ['eu', 'us'] });
  });

  it('is down only if it stays so whatever the unknown ones are, and likewise up', () => {
    const letters = fc.array(fc.constantFrom('u', 'd', '?'), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(letters, fc.integer({ min: 1, max: 6 }), (list, wanted) => {
        const minUp = Math.min(wanted, list.length);
        const with_ = (letter: string) => service(list.join('').replaceAll('?', letter), minUp).status;
        const { status } = service(list.join(''), minUp);
        expect(status).toBe(with_('u') === with_('d') ? with_('u') : 'unknown');
      }),
    );
  });
});
