/** A configuration that can't be declared: the file is what it was, and the caller learns why. */
import { generateSigningKey } from '@highwater/config/keys.ts';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { Lasting } from '../lasting.ts';
import type { Store } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { jsonSource } from '../testing/house.ts';
import { memoryBlobs } from '../testing/memory-blobs.ts';
import { watch } from '../watched.ts';
import { openApplier } from './apply.ts';
import type { Succession } from './succession.ts';

const { config } = testHouse();
const other = JSON.stringify({ ...config, probes: config.probes.slice(1) });
const refusing = (): Promise<never> => Promise.reject(new Error('the store is full'));
const store = { read: refusing, transact: refusing } as unknown as Store;
const lasting = {
  store,
  blobs: memoryBlobs(new Map()),
  origin: config.origin,
  key: generateSigningKey(config.origin),
  seed: '00'.repeat(16),
  salt: '11'.repeat(16),
  clock: { now: () => 0, monotonic: () => 0 },
  log: pino({ level: 'silent' }),
} as unknown as Lasting;
const succession = { current: { watched: watch(config), configHash: '' } } as unknown as Succession;
const signal = new AbortController().signal;

it('the file is put back when the configuration can not be declared', async () => {
  const file = { text: JSON.stringify(config) };
  const applier = openApplier(lasting, succession, jsonSource(file), signal);
  await expect(applier.apply(other)).rejects.toThrow('the store is full');
  expect(file.text).toBe(JSON.stringify(config));
});

it('why it can not be is told also where the file can not be put back', async () => {
  const putBack = (): never => {
    throw new Error('no way back');
  };
  const source = { ...jsonSource({ text: '' }), keep: () => putBack };
  await expect(openApplier(lasting, succession, source, signal).apply(other)).rejects.toThrow(
    'the store is full',
  );
});
