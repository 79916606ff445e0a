import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '@highwater/collector/store/sqlite/sqlite-store.ts';
import type { Store } from '@highwater/collector/store/store.ts';
import { storeContract } from './store.ts';

const folders = new WeakMap<Store, string>();

function openIn(folder: string): Store {
  const store = openSqliteStore(folder);
  folders.set(store, folder);
  return store;
}

storeContract('sqlite', {
  open: async () => openIn(await mkdtemp(join(tmpdir(), 'highwater-store-'))),
  reopen: async (store) => {
    await store[Symbol.asyncDispose]();
    return openIn(folders.get(store) ?? '');
  },
  dispose: async (store) => {
    await store[Symbol.asyncDispose]();
    await rm(folders.get(store) ?? '', { recursive: true });
  },
});
