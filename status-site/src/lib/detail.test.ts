import { expect, test } from 'vitest';
import {
  aNode,
  aService,
  aSnapshot,
  morning,
  oneDown,
  staleData,
  unwellRegions,
} from '../../../test/fixtures/snapshots.ts';
import { latencyView, serviceDetail } from './detail.ts';

const now = morning;
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

test('a service that is not there has no page', () => {
  expect(serviceDetail('nope', { now, snapshot: aSnapshot(now) })).toBeUndefined();
  expect(serviceDetail('nope', { now })).toBeUndefined();
});

test('a node that is down shows its lag, each region, and what the fault means, once', () => {
  const detail = serviceDetail('polkadot-rpc', { now, snapshot: oneDown(now) });
  const node = detail?.nodes[0];
  expect(node?.facts.map((fact) => `${fact.name}: ${plain(fact.value)}`)).toEqual([
    'Height: 28 763 972',
    'Lag: 140 blocks (14 min) behind',
    'Finalized: 28 763 969, 3 blocks back',
    'Age of its newest block: 14 min',
  ]);
  expect(node?.checks[0]?.answers.map((answer) => [answer.region, answer.mark.tone, answer.fault])).toEqual([
    ['Frankfurt', 'down', 'target.http.timeout'],
    ['New York', 'down', 'target.http.timeout'],
    ['Singapore', 'down', 'target.http.timeout'],
  ]);
  expect(node?.checks[0]?.meanings).toHaveLength(1);
  expect(detail?.incidents.map((incident) => incident.open)).toEqual([true, false, false]);
});

test('what kept the probe of a region from answers is told in words, and is no fault of the node', () => {
  const detail = serviceDetail('ethereum-rpc', { now, snapshot: unwellRegions(now) });
  const checks = detail?.nodes.flatMap((node) => node.checks) ?? [];
  const answers = checks.flatMap((check) => check.answers).filter(({ region }) => region === 'Frankfurt');
  expect(answers.length).toBeGreaterThan(0);
  for (const answer of answers) {
    expect(answer).toMatchObject({ fault: '', mark: { tone: 'unknown', word: 'No answer that counts' } });
  }
  expect(new Set(checks.flatMap((check) => check.meanings))).toEqual(
    new Set([
      'No answer that counts: The probe could not reach its control targets either: it is probably the probe.',
    ]),
  );
  expect(detail?.regions.map(({ name, unwell }) => [name, unwell?.mark.word])).toEqual([
    ['Frankfurt', 'Controls fail'],
    ['New York', undefined],
    ['Singapore', 'Sees it otherwise'],
  ]);
});

test('a refusal that is skipped is said to be so, and when', () => {
  const regions = [
    { region: 'eu', status: 'unknown' as const, fault: 'target.http.refused', at: now - 3_000 },
  ];
  const node = aNode(now, {
    checks: [{ id: 'x', kind: 'http', status: 'unknown', because: 'no answer that counts', regions }],
  });
  const snapshot = aSnapshot(now, { services: [aService(now, { nodes: [node] })] });
  const [check] = serviceDetail(snapshot.services[0]?.id ?? '', { now, snapshot })?.nodes[0]?.checks ?? [];
  expect(check?.answers[0]).toMatchObject({
    mark: { tone: 'unknown', word: 'Skipped' },
    fault: 'target.http.refused',
    at: now - 3_000,
  });
  expect(check?.meanings).toEqual([
    'Skipped: The server refuses this client: a rate limit (429) or a ban (403). It counts neither way.',
  ]);
});

test('a check that is asked over both families apart is named by its family', () => {
  const check = { kind: 'head', status: 'up' as const, because: 'up', regions: [] };
  const checks = [
    { ...check, id: 'head.v4', family: 4 as const },
    { ...check, id: 'head.v6', family: 6 as const },
    { ...check, id: 'old.v6' },
  ];
  const snapshot = aSnapshot(now, { services: [aService(now, { nodes: [aNode(now, { checks })] })] });
  const named = serviceDetail(snapshot.services[0]?.id ?? '', { now, snapshot })?.nodes[0]?.checks;
  expect(named?.map(({ name }) => name)).toEqual(['head over IPv4', 'head over IPv6', 'old.v6']);
});

test('a trouble of one check, such as a missing secret, stays with the check', () => {
  const node = aNode(now, {
    checks: [
      {
        id: 'x',
        kind: 'x',
        status: 'unknown',
        because: 'no answer that counts from 1 of 1 region: probe.config.secret',
        regions: [{ region: 'eu', status: 'unknown', fault: 'probe.config.secret' }],
      },
    ],
  });
  const snapshot = aSnapshot(now, { services: [aService(now, { nodes: [node] })] });
  const [check] = serviceDetail(snapshot.services[0]?.id ?? '', { now, snapshot })?.nodes[0]?.checks ?? [];
  expect(check?.answers[0]).toMatchObject({ fault: 'probe.config.secret', mark: { word: 'Unknown' } });
  expect(check?.meanings).toHaveLength(1);
});

test('on stale data no answer of any region is up, and nothing has lasted', () => {
  const detail = serviceDetail('ethereum-rpc', { now, snapshot: staleData(now) });
  const marks = detail?.nodes.flatMap((node) => [
    node.mark,
    ...node.checks.flatMap((check) => [check.mark, ...check.answers.map((answer) => answer.mark)]),
  ]);
  expect(new Set(marks?.map((mark) => mark.tone))).toEqual(new Set(['unknown']));
  expect(detail).not.toHaveProperty('since');
  expect(
    detail?.nodes.flatMap((node) => node.checks).every((check) => /^Last known: /.test(check.because)),
  ).toBe(true);
});

test('a fault that this version does not know is shown without a meaning', () => {
  const node = aNode(now, {
    checks: [
      {
        id: 'x',
        kind: 'x',
        status: 'down',
        because: '',
        regions: [{ region: 'eu', status: 'down', fault: 'target.new.thing' }],
      },
    ],
  });
  const check = serviceDetail('ethereum-rpc', {
    now,
    snapshot: aSnapshot(now, { services: [aService(now, { nodes: [node] })] }),
  })?.nodes[0]?.checks[0];
  expect(check?.answers[0]?.fault).toBe('target.new.thing');
  expect(check?.meanings).toEqual([]);
});

test('latency is drawn with gaps, on the scale that it is given', () => {
  const view = latencyView('Frankfurt', [100, 200, null, 400, null], 400);
  expect(view.path).toBe('M0,29.8L60,20.5M180,2Z');
  expect(plain(view.text)).toBe(
    'Frankfurt, medians of the last 5 hours: latest 40 ms, highest 40 ms, nothing measured in 2 hours.',
  );
  expect(latencyView('Frankfurt', [null], 1)).toMatchObject({
    path: '',
    latest: '',
    text: 'Frankfurt: nothing measured in 1 hour.',
  });
});
