import { expect, test } from 'vitest';
import { aNode, aService, chainTrouble, oneDown, without } from '../../../test/fixtures/snapshots.ts';
import { chainView, finalizedText } from './chain.ts';

const now = Date.UTC(2026, 10, 21, 6, 14, 3);
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

test('a service without a chain has no head', () => {
  expect(chainView(without(aService(now), 'head'), { now }, false)).toBeUndefined();
});

test('the head is told with its age, its pace and who agreed on it', () => {
  const [service] = chainTrouble(now).services;
  if (!service) throw new Error('no service');
  const view = chainView(service, { now }, false);
  expect(view?.mark).toMatchObject({ tone: 'down', word: 'Stands still' });
  expect(view?.facts.map(({ name, value }) => `${name}: ${plain(value)}`)).toEqual([
    'Agreed height: 99 812 345',
    'Age of its newest block: 6 min',
    'A block every: 3 s',
    'Agreed from: 5 nodes and references',
  ]);
  expect(chainView(service, { now }, true)).toMatchObject({
    mark: { tone: 'unknown' },
    because: 'Last known: stands still.',
  });
});

test('each node is told with its height, its lag in blocks and time, and what is final', () => {
  const service = oneDown(now).services.find(({ id }) => id === 'polkadot-rpc');
  if (!service) throw new Error('no service');
  const silent = without(without(without(aNode(now, { id: 'new' }), 'height'), 'lagBlocks'), 'lagMs');
  const view = chainView({ ...service, nodes: [...service.nodes, silent] }, { now }, false);
  expect(view?.hasFinality).toBe(true);
  expect(view?.nodes.map((node) => [node.id, node.height, node.lag, node.finalized].map(plain))).toEqual([
    ['dot-1', '28 763 972', '140 blocks (14 min) behind', '28 763 969'],
    ['dot-2', '28 763 972', '140 blocks (14 min) behind', '28 763 969'],
    ['dot-3', '28 764 112', 'level', '28 764 109'],
    ['new', '', '', ''],
  ]);
  expect(chainView(aService(now), { now }, false)?.hasFinality).toBe(false);
});

test('a final block that is the newest is not back', () => {
  expect(plain(finalizedText(aNode(now, { height: 1_000, finalizedHeight: 1_000 })))).toBe('1 000');
  expect(plain(finalizedText(without(aNode(now, { finalizedHeight: 1_000 }), 'height')))).toBe('1 000');
});
