import { expect, test } from 'vitest';
import { publicNode, publicService } from '@highwater/config/public.ts';
import { oneDown, staleData } from '../../../test/fixtures/snapshots.ts';
import { serviceAnswer } from './services.ts';

const now = Date.UTC(2026, 10, 21, 6, 14, 3);

test('a service is told with all that is public of its nodes and of its head', () => {
  const snapshot = oneDown(now);
  const answer = serviceAnswer('polkadot-rpc', { now, snapshot })?.service;
  const wanted = snapshot.services.find(({ id }) => id === 'polkadot-rpc');
  expect(publicService.shape.head.parse(answer?.head)).toEqual(wanted?.head);
  const nodes = answer?.nodes.map(({ lastKnown, ...node }) => {
    expect(lastKnown).toBe(node.status);
    return publicNode.parse(node);
  });
  expect(nodes).toEqual(wanted?.nodes);
  expect(nodes?.[0]?.methods.map(({ method }) => method)).toContain('chain_getHeader');
  expect(nodes?.[0]).toMatchObject({ finalizedHeight: 28_763_969, lagMs: 840_000 });
});

test('on stale data no node has a status, and what was measured stays', () => {
  const nodes = serviceAnswer('ethereum-rpc', { now, snapshot: staleData(now) })?.service.nodes;
  expect(nodes?.map(({ status, lastKnown }) => [status, lastKnown])).toEqual([
    ['unknown', 'up'],
    ['unknown', 'up'],
  ]);
  expect(nodes?.every(({ methods }) => methods.length > 0)).toBe(true);
});
