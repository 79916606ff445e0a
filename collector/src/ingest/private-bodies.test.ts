/** Bodies of private services: committed to under a salt that probes are given, kept, counted, and never served. */
import { join } from 'node:path';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { decodeBase64, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import {
  accepted,
  assignment,
  assignmentBody,
  refused,
  type AssignmentBody,
} from '@highwater/config/wire.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBodies } from '../bodies/bodies.ts';
import { keepGround } from '../slots/ground.ts';
import { openSource } from '../slots/source.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore, readCopy } from '../store/sqlite/sqlite-store.ts';
import type { Shown } from '../store/store.ts';
import { testHouse, type TestHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir, openHouse, type House } from '../testing/house.ts';
import { player, type Player, type SignedBatch } from '../testing/player.ts';
import { LOG_SHARD } from '../watched.ts';

let dataDir: string;
let test: TestHouse;
let house: House;
let eu: Player;
beforeEach(async () => {
  dataDir = newDataDir();
  test = testHouse();
  house = await openHouse(test.config, dataDir);
  eu = player(test.config.origin, test.keys.eu);
});
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

async function tasks(probe: Player = eu): Promise<AssignmentBody> {
  const target = '/v1/assignments?after=0';
  const { origin } = test.config;
  const text = formatRequestText({ origin, probe: probe.id, method: 'GET', target, at: Date.now() });
  const response = await house.get(target, { authorization: authorizationOf(probe.sign(text)) });
  return assignmentBody.parse(JSON.parse(assignment.parse(await response.json()).body));
}

const saltsIn = (body: AssignmentBody) =>
  new Map(Object.entries(body.salts ?? {}).map(([id, hex]) => [id, Buffer.from(hex, 'hex')]));

/** One line of each monitor, framed. */
function frameOf(body: AssignmentBody, ago = 1): string {
  const now = Date.now();
  return eu.frame(
    body.monitors.map(({ id, intervalMs }) => {
      const phase = phaseMs(body.seed, id, body.probe, intervalMs, sha256);
      return `${id} ${now - ((now - phase) % intervalMs) - ago * intervalMs} fail 3 target.connect.refused`;
    }),
  );
}

const batchOf = (body: AssignmentBody, salts = saltsIn(body)): SignedBatch =>
  eu.batch({ config: body.config, minute: 0, salts });

async function take(note: string): Promise<void> {
  expect(accepted.parse(await (await house.post('/v1/batches', note)).json()).result).toBe('accepted');
}

const bodyOf = ({ batch }: SignedBatch, service: string): string =>
  encodeHex(
    decodeBase64(batch.bodies.find((ref) => ref.service === service)?.hash ?? '') ?? new Uint8Array(),
  );

/** The bodies of a service that are held, with the hash in hex. */
const held = (service: string): Promise<{ hex: string; shown: Shown }[]> =>
  readCopy(join(dataDir, 'collector', 'store.db'), LOG_SHARD, async (tx) => {
    const commits = await tx.commitsFrom(0, 1_000);
    const all = await Promise.all(commits.map(({ index }) => tx.heldBodies(index)));
    return all
      .flatMap((bodies) => bodies ?? [])
      .filter((body) => body.service === service)
      .map(({ hash, shown }) => ({ hex: Buffer.from(hash, 'base64').toString('hex'), shown }));
  });

const statusOf = async (hex: string): Promise<number> =>
  (await house.get(`/log/${new Date().getUTCFullYear()}/body/${hex}`)).status;

/** Services of which lines are read when commits are followed up. */
async function readOf(): Promise<string[]> {
  const store = openSqliteStore(join(dataDir, 'collector'));
  try {
    const commits = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(0, 1_000));
    const ground = await keepGround(store).advance();
    const blobs = folderBlobs(join(dataDir, 'collector', 'blobs'));
    const source = openSource(store, openBodies(store, blobs));
    const read = await Promise.all(
      commits.filter(({ kind }) => kind === 'batch').map((commit) => source.read(ground, commit, () => true)),
    );
    return [...new Set(read.flatMap(({ bodies }) => [...bodies.keys()]))].sort();
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

it('a salted body is taken, counts, and is neither served nor to be found by its SHA-256', async () => {
  const body = await tasks();
  expect(Object.keys(body.salts ?? {})).toEqual(['hidden']);
  await house.post('/v1/frames', frameOf(body));
  const made = batchOf(body);
  const bare = encodeHex(sha256(utf8(made.bodies.get('hidden') ?? '')));
  expect(bodyOf(made, 'hidden')).not.toBe(bare);
  expect(bodyOf(made, 'web')).toBe(encodeHex(sha256(utf8(made.bodies.get('web') ?? ''))));
  await take(made.note);
  expect(await held('hidden')).toEqual([{ hex: bodyOf(made, 'hidden'), shown: 'salted' }]);
  expect(await held('web')).toEqual([{ hex: bodyOf(made, 'web'), shown: 'public' }]);
  expect(await statusOf(bodyOf(made, 'web'))).toBe(200);
  for (const hex of [bodyOf(made, 'hidden'), bare]) expect(await statusOf(hex)).toBe(404);
  await house.stop();
  expect(await readOf()).toEqual(['hidden', 'rpc', 'web']);
});

it('a bare one of a probe that knows no salt yet is taken too, and not served', async () => {
  const body = await tasks();
  await house.post('/v1/frames', frameOf(body));
  const made = batchOf(body, new Map());
  await take(made.note);
  expect(await held('hidden')).toEqual([{ hex: bodyOf(made, 'hidden'), shown: 'private' }]);
  expect(await statusOf(bodyOf(made, 'hidden'))).toBe(404);
});

it('one that can not be rebuilt is asked for, and only the right one is taken', async () => {
  const body = await tasks();
  frameOf(body); // never sent
  const { note, bodies } = batchOf(body);
  const first = await house.post('/v1/batches', note);
  expect([first.status, refused.parse(await first.json()).services]).toEqual([428, ['hidden', 'rpc', 'web']]);
  const post = (sent: ReadonlyMap<string, string>) =>
    house.post('/v1/batches', JSON.stringify({ note, bodies: Object.fromEntries(sent) }), 'application/json');
  const other = (bodies.get('hidden') ?? '').replace(' 3 ', ' 4 ');
  expect((await post(new Map([...bodies, ['hidden', other]]))).status).toBe(400);
  expect((await post(bodies)).status).toBe(200);
});

it('one that was salted when it was seen stays unserved although its service is public now', async () => {
  const body = await tasks();
  await house.post('/v1/frames', frameOf(body));
  const made = batchOf(body);
  await house.stop();
  const services = test.config.services.map((service) => ({ ...service, visibility: 'public' as const }));
  house = await openHouse({ ...test.config, services }, dataDir);
  expect((await tasks()).salts).toBeUndefined();
  await take(made.note);
  expect(await statusOf(bodyOf(made, 'hidden'))).toBe(404);
  expect(await held('hidden')).toEqual([{ hex: bodyOf(made, 'hidden'), shown: 'salted' }]);
});

it('the salt is the same after a restart, and in nothing that is published or told', async () => {
  const before = await tasks();
  await house.stop();
  const lines: string[] = [];
  house = await openHouse(test.config, dataDir);
  const after = await tasks();
  expect(after.salts).toEqual(before.salts);
  expect(after.number).toBe(before.number);
  const salt = after.salts?.['hidden'] ?? '';
  expect(salt).toMatch(/^[0-9a-f]{64}$/);
  await house.stop();
  const store = openSqliteStore(join(dataDir, 'collector'));
  const [secret = '', leaves] = await store.read(LOG_SHARD, async (tx) => [
    await tx.meta('bodySalt'),
    await tx.leaves(),
  ]);
  await store[Symbol.asyncDispose]();
  for (const { note, body = '' } of leaves) lines.push(note, body);
  house = await openHouse(test.config, dataDir);
  const headers = { authorization: `Bearer ${house.token}` };
  for (const path of ['/v1/status', '/metrics', '/log/keys', '/log/policy', '/v1/openapi.json'])
    lines.push(await (await house.get(path, headers)).text());
  expect(lines.join('\n')).toContain('test.example/log');
  for (const hidden of [salt, secret]) {
    expect(hidden).toHaveLength(64);
    expect(lines.join('\n')).not.toContain(hidden);
  }
});

it('a probe is given salts of those services alone that it asks', async () => {
  await house.stop();
  const monitors = test.config.monitors.map((monitor) =>
    monitor.service === 'hidden' ? { ...monitor, regions: ['us'] } : monitor,
  );
  house = await openHouse({ ...test.config, monitors }, dataDir);
  expect((await tasks()).salts).toBeUndefined();
  expect(Object.keys((await tasks(player(test.config.origin, test.keys.us))).salts ?? {})).toEqual([
    'hidden',
  ]);
});
