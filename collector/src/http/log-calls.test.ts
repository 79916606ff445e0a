/** The routes of the log over real blobs and a real store; and that no private body is ever among the answers. */
import { join } from 'node:path';
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { projectConfig } from '@highwater/config/project.ts';
import { bodyRefs } from '@highwater/config/proof/batch.ts';
import { decodeBase64, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { formatCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { formatProjection } from '@highwater/config/proof/projection.ts';
import { parseTilePath } from '@highwater/config/proof/tiles.ts';
import { Secret } from '@highwater/config/secrets.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBodies } from '../bodies/bodies.ts';
import { keepFileBody } from '../bodies/files.ts';
import { heldOf } from '../bodies/held.ts';
import { keepProjections } from '../ingest/bodies.ts';
import { shownServices } from '../ingest/shown.ts';
import { declareLeaves } from '../leaves/leaves.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { logRoutes } from './log-calls.ts';
import { listen } from './server.ts';

const { config: base } = testHouse();
const operator = generateSigningKey(base.origin);
const logKey = generateSigningKey(`${base.origin}/2026`);
const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 10, 21, 6);
/** The log holds so many entries; their bundle of width 3 is gone, for the full one has come. */
const SIZE = 300;

let folder: string;
let store: Store;
let blobs: ReturnType<typeof folderBlobs>;
let server: Awaited<ReturnType<typeof listen>> | undefined;
beforeEach(() => {
  folder = newDataDir();
  store = openSqliteStore(folder);
  blobs = folderBlobs(join(folder, 'blobs'));
});
afterEach(async () => {
  await close();
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

async function close(): Promise<void> {
  server?.server.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(0) : server.server.close(resolve)));
  server = undefined;
}

/** The base configuration with these services private. */
function withPrivate(...ids: string[]): Config {
  const services = base.services.map((service) => ({
    ...service,
    visibility: ids.includes(service.id) ? ('private' as const) : ('public' as const),
  }));
  return { ...base, services };
}

const without = (id: string): Config => ({
  ...base,
  services: base.services.filter((service) => service.id !== id),
  monitors: base.monitors.filter((monitor) => monitor.service !== id),
});

async function declare(config: Config, at: number): Promise<string> {
  const projection = formatProjection(projectConfig(config, { seed: '0'.repeat(32), salt: 'salt' }, sha256));
  await declareLeaves(store, blobs, watch(config), operator, projection, at);
  return encodeHex(sha256(utf8(projection)));
}

/** Where bodies are kept: in the row of their batch; as versions before did it, in files by their kind, or all under one. */
type Kept = 'rows' | 'files' | 'one kind of file';

/** Keeps a body of one line that was due at `due`, as the ingest does under `config`; returns its SHA-256. */
async function keep(service: string, due: number, config: Config, how: Kept = 'rows'): Promise<string> {
  const shown = await shownServices(store, config);
  const body = `${service}/main/http ${due} ok 100 -\n`;
  const [ref] = bodyRefs(new Map([[service, body]]), sha256);
  if (!ref) throw new Error('no body');
  const isPublic = (id: string): boolean => how === 'one kind of file' || shown.has(id);
  const held = heldOf({ bodies: [ref] }, new Map([[service, { text: body, isSalted: false }]]), isPublic);
  if (how === 'rows') {
    const minute = Math.floor(due / MINUTE_MS);
    await store.transact(LOG_SHARD, async (tx) => {
      const index = await tx.addCommit({
        kind: 'batch',
        at: due,
        note: body,
        hash: ref.hash,
        batch: { probe: 'eu-1', epoch: 0, number: due, minutes: { first: minute, last: minute } },
      });
      await tx.addBodies(index, held);
    });
  } else {
    for (const each of held) await keepFileBody(blobs, each);
  }
  expect((await openBodies(store, blobs).read(ref.hash))?.text).toBe(body);
  return encodeHex(decodeBase64(ref.hash) ?? new Uint8Array());
}

async function serve(config: Config): Promise<string> {
  await close();
  const checkpoint = logKey.sign(formatCheckpointText({ origin: logKey.name, size: SIZE, root: ZERO_HASH }));
  server = await listen({
    host: '127.0.0.1',
    port: 0,
    token: new Secret('0123456789abcdef'),
    clock: { now: () => 0, monotonic: () => 0 },
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
    routes: logRoutes({
      log: {
        keys: [logKey.vkey],
        checkpoint: async (year) => (year === 2026 ? checkpoint : undefined),
        async tile(_, path) {
          const asked = parseTilePath(path);
          const width = asked?.kind === 'entries' ? asked.width : (asked?.tile.width ?? 0);
          return new Uint8Array(32 * width).fill(0xff);
        },
      },
      blobs,
      bodies: openBodies(store, blobs),
      shown: await shownServices(store, config),
      operatorKey: operator.vkey,
      policy: () => `log ${logKey.vkey}\nquorum none\n`,
    }),
  });
  return `${server.url}/log`;
}

const statusOf = async (url: string): Promise<number> => {
  const answer = await fetch(url);
  await answer.arrayBuffer();
  return answer.status;
};

describe('what is published', () => {
  it('keys, policy and checkpoint are short-lived text; tiles are bytes that never change', async () => {
    const log = await serve(base);
    const keys = await fetch(`${log}/keys`);
    expect(await keys.text()).toBe(`operator ${operator.vkey}\nlog ${logKey.vkey}\n`);
    expect(await (await fetch(`${log}/policy`)).text()).toBe(`log ${logKey.vkey}\nquorum none\n`);
    const checkpoint = await fetch(`${log}/2026/checkpoint`);
    expect(checkpoint.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(checkpoint.headers.get('cache-control')).toBe('public, max-age=2');
    expect(await checkpoint.text()).toContain(`${base.origin}/2026\n${SIZE}\n`);
    const tile = await fetch(`${log}/2026/tile/0/001.p/44`);
    expect(tile.headers.get('content-type')).toBe('application/octet-stream');
    expect(tile.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect((await tile.arrayBuffer()).byteLength).toBe(44 * 32);
  });

  it.each(['0/000', '0/000.p/3', '0/001.p/1', '1/000.p/1', 'entries/000', 'entries/001.p/44'])(
    'tile/%s is there',
    async (path) => {
      expect(await statusOf(`${await serve(base)}/2026/tile/${path}`)).toBe(200);
    },
  );
  it.each([
    '0/001',
    '0/001.p/45',
    '0/002.p/1',
    '1/000',
    '1/000.p/2',
    '2/000.p/1',
    'entries/001.p/45',
    'entries/001',
    '0/000.p/256',
    '0/000.p/0',
    '0/0',
    '00/000',
    '0/x000/000',
    '0%2F000',
    '0/000/',
    '',
    '64/000',
  ])('tile/%s is not: wider than what is signed, or no path of a tile', async (path) => {
    expect(await statusOf(`${await serve(base)}/2026/tile/${path}`)).toBe(404);
  });
  it.each(['2025/checkpoint', '2025/tile/0/000', 'abcd/checkpoint', '02026/checkpoint'])(
    '%s is of no log',
    async (path) => {
      expect(await statusOf(`${await serve(base)}/${path}`)).toBe(404);
    },
  );
});

describe('bodies', () => {
  it('of public services, of chain references, and projections are served by their hash', async () => {
    const projection = await declare(base, START);
    const log = await serve(base);
    const web = await keep('web', START, base);
    const answer = await fetch(`${log}/2026/body/${web}`);
    expect(await answer.text()).toBe(`web/main/http ${START} ok 100 -\n`);
    expect(answer.headers.get('etag')).toBe(`"${web}"`);
    expect(await statusOf(`${log}/2026/body/${await keep('chain.devnet', START, base)}`)).toBe(200);
    const text = await (await fetch(`${log}/2026/body/${projection}`)).text();
    expect(encodeHex(sha256(utf8(text)))).toBe(projection);
    expect(await statusOf(`${log}/2026/body/${'0'.repeat(64)}`)).toBe(404);
    expect(await statusOf(`${log}/2026/body/${web.toUpperCase()}`)).toBe(404);
    expect(await statusOf(`${log}/2026/body/private.${web}`)).toBe(404);
  });

  it('a projection of a store from before is published by a start', async () => {
    const projection = await declare(base, START);
    await blobs.remove(projection);
    const log = await serve(base);
    expect(await statusOf(`${log}/2026/body/${projection}`)).toBe(404);
    await keepProjections(blobs, store);
    expect(await statusOf(`${log}/2026/body/${projection}`)).toBe(200);
  });

  /** Each life of a service: its configurations an hour apart; a body is kept in the middle of each. */
  const [open, shut, gone] = [withPrivate(), withPrivate('web'), without('web')];
  describe.each(['rows', 'files', 'one kind of file'] as const)('kept as %s', (how) => {
    it.each([
      { life: 'public', configs: [open], served: [true] },
      { life: 'private', configs: [shut], served: [false] },
      { life: 'private, then public', configs: [shut, open], served: [false, true] },
      { life: 'public, then private', configs: [open, shut], served: [false, false] },
      { life: 'there and back', configs: [open, shut, open], served: [false, false, true] },
      { life: 'private twice', configs: [shut, open, shut, open], served: [false, false, false, true] },
      { life: 'private, taken out, then public', configs: [shut, gone, open], served: [false, false, true] },
      { life: 'private, then taken out', configs: [shut, gone], served: [false, false] },
      // The last declaration that names it counts, for what comes after its end too: minutes were under way.
      { life: 'public, then taken out', configs: [open, gone], served: [true, true] },
      { life: 'public, taken out and back', configs: [open, gone, open], served: [true, true, true] },
      { life: 'public, private, taken out', configs: [open, shut, gone], served: [false, false, false] },
      { life: 'private, public, taken out', configs: [shut, open, gone], served: [false, true, true] },
      { life: 'public, taken out, private', configs: [open, gone, shut], served: [false, false, false] },
      {
        life: 'public, taken out, private, public',
        configs: [open, gone, shut, open],
        served: [false, false, false, true],
      },
    ])('$life: $served', async ({ configs, served }) => {
      const names: string[] = [];
      for (const [i, config] of configs.entries()) {
        const at = START + i * 60 * MINUTE_MS;
        await declare(config, at);
        names.push(await keep('web', at + 30 * MINUTE_MS, config, how));
      }
      const log = await serve(configs.at(-1) ?? open);
      const statuses = await Promise.all(names.map((name) => statusOf(`${log}/2026/body/${name}`)));
      expect(statuses).toEqual(served.map((is) => (is ? 200 : 404)));
    });
  });

  it('of a chain that was taken out are served', async () => {
    await declare(base, START);
    const name = await keep('chain.devnet', START, base);
    const empty = { ...base, chains: {}, services: [], monitors: [] };
    await declare(empty, START + 60 * MINUTE_MS);
    expect(await statusOf(`${await serve(empty)}/2026/body/${name}`)).toBe(200);
  });

  it('of a service that the file calls private are not served, whatever the leaves say', async () => {
    await declare(base, START);
    const name = await keep('web', START, base);
    expect(await statusOf(`${await serve(withPrivate('web'))}/2026/body/${name}`)).toBe(404);
  });

  it.each(['rows', 'files'])(
    'one line of a private time is enough in %s, wherever in a long body it stands',
    async (how) => {
      await declare(withPrivate('web'), START);
      await declare(base, START + 60 * MINUTE_MS);
      const line = (due: number) => `web/main/http ${due} ok 100 -`;
      const lines = Array.from({ length: 9_000 }, (_, i) => line(START + 61 * MINUTE_MS + i));
      const log = await serve(base);
      const cases: readonly (readonly [string, number])[] = [
        [`${lines.join('\n')}\n`, 200],
        [`${[...lines, line(START + 1)].join('\n')}\n`, 404],
        [`${[...lines.slice(0, 5_000), line(START + 1), ...lines.slice(5_000)].join('\n')}\n`, 404],
        [lines.join('\n'), 404],
      ];
      for (const [index, [text, status]] of cases.entries()) {
        const bytes = sha256(utf8(text));
        const name = encodeHex(bytes);
        const hash = Buffer.from(bytes).toString('base64');
        if (how === 'files') await blobs.putIfAbsent(name, utf8(text));
        else {
          const body = { service: 'web', hash, shown: 'public' as const, text };
          await store.transact(LOG_SHARD, (tx) => tx.addBodies(index, [body]));
        }
        const answer = await fetch(`${log}/2026/body/${name}`);
        expect([answer.status, status === 200 ? (await answer.text()) === text : true]).toEqual([
          status,
          true,
        ]);
      }
    },
  );
});
