import { expect, test } from 'vitest';
import { methodIdOf, methodIdsOf } from './method-id.ts';

test.each([
  [{ method: 'eth_call' }, 'eth_call'],
  [{ method: 'eth_call', id: 'balance' }, 'balance'],
  [{ get: '/v2/blocks/{{head-10}}?x=1' }, 'v2.blocks.head-10'],
  [{ get: '/v2/{{random 1..9}}/x' }, 'v2.random.1.9.x'],
  [{ get: '/' }, ''],
  [{ get: `/${'a'.repeat(100)}` }, 'a'.repeat(64)],
])('the figures of %j are called %s', (method, id) => {
  expect(methodIdOf(method)).toBe(id);
});

test.each([
  [{ methods: [{ method: 'a' }, { get: '/b/c' }] }, ['a', 'b.c']],
  [{ methods: ['GET', null, 7, { path: '/x' }] }, []],
  [{ methods: 'a' }, []],
  [{}, []],
  [null, []],
])('settings %j have methods %j', (settings, ids) => {
  expect(methodIdsOf({ settings })).toEqual(ids);
});
