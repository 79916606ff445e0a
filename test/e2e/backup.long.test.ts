/** A machine that is lost after its last backup: what was published comes back from the page, and the log goes on. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  generateSigningKey,
  loadSigningKey,
  openCheckpoint,
  parseVerifier,
  sha256,
} from '@highwater/config/keys.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import type { Checkpoint } from '@highwater/config/proof/checkpoint.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { hashesAt, type Tile, TILE_WIDTH, tilePath } from '@highwater/config/proof/tiles.ts';
import { rootAt, tilesForRoot } from '@highwater/config/proof/tree.ts';
import { minuteOf } from '@highwater/config/time.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readTile } from '../../collector/src/log/files.ts';
import { folderBlobs } from '../../collector/src/store/blobs/folder.ts';
import { player, type Player } from '../../collector/src/testing/player.ts';
import { highwater, type Process, startRole, until } from './process.ts';

const dir = mkdtempSync(join(tmpdir(), 'highwater-backup-'));
const [lost, fresh, backup, file] = ['lost', 'fresh', 'backup', 'hw.yaml'].map((name) => join(dir, name)) as [string, string, string, string]; // prettier-ignore
const year = new Date().getUTCFullYear();
const blobsOf = (data: string) => folderBlobs(join(data, 'collector', 'blobs'));

/** What a page has of the lost machine: its log's folder, and public bodies. */
const page = createServer((request, answer) => {
  const [, , named = '', kind = '', ...rest] = (request.url ?? '').split('/');
  const blobs = blobsOf(lost);
  const found =
    kind === 'body'
      ? blobs.get(rest[0] ?? '')
      : kind === 'tile'
        ? readTile(blobs, Number(named), ['tile', ...rest].join('/'))
        : blobs.get(`log/${named}/${kind}`);
  found.then(
    (bytes) => answer.writeHead(bytes === undefined ? 404 : 200).end(bytes),
    () => answer.writeHead(500).end(),
  );
});
let origin = '';
const eu = generateSigningKey('eu-1');
beforeAll(async () => {
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
  const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
  origin = 'backup.example/log';
  writeFileSync(
    file,
    `site: { name: Backup, url: "${url}" }
log: { origin: ${origin} }
regions: [ { id: eu, name: Europe } ]
probes: [ { id: eu-1, region: eu, key: "${eu.vkey}" } ]
services:
  - id: web
    name: Web
    nodes: [ { id: main, zone: home, url: "https://web.example.com" } ]
    checks: [ { kind: http, every: 1s, timeout: 500ms } ]
`,
  );
});
afterAll(() => {
  page.close();
  rmSync(dir, { recursive: true, force: true });
});

const start = (data: string): Promise<Process> =>
  startRole(['collector', '--config', file, '--data', data, '--port', '0']);

let seen = 0;
async function send(collector: Process, by: Player, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    seen += 1;
    const minute = minuteOf(Date.now());
    by.frame([`web/main/http ${minute * 60_000 + seen} ok ${seen} -`]);
    const { note, bodies } = by.batch({ config: ZERO_HASH, minute });
    const answer = await fetch(`${collector.url}/v1/batches`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ note, bodies: Object.fromEntries(bodies) }),
    });
    expect([answer.status, await answer.text()][0]).toBe(200);
  }
}

async function published(data: string): Promise<Checkpoint | undefined> {
  const bytes = await blobsOf(data).get(`log/${year}/checkpoint`);
  if (bytes === undefined) return undefined;
  const key = parseVerifier(loadSigningKey(join(data, 'keys', `log-${year}.key`)).vkey);
  const opened = openCheckpoint(Buffer.from(bytes).toString(), key);
  if ('error' in opened) throw new Error(opened.error);
  return opened.checkpoint;
}

const atLeast = (data: string, size: number): Promise<Checkpoint> =>
  until(`${size} entries are published`, 60_000, async () => {
    const checkpoint = await published(data);
    return checkpoint !== undefined && checkpoint.size >= size && checkpoint;
  });

/** The root that the newest tree had at an earlier size. */
async function rootThen(data: string, size: number, newest: number): Promise<string> {
  const tiles = new Map<string, Uint8Array>();
  for (const tile of tilesForRoot(size)) {
    const width = Math.min(TILE_WIDTH, hashesAt(tile.level, newest) - tile.index * TILE_WIDTH);
    const bytes = await readTile(blobsOf(data), year, tilePath({ ...tile, width }));
    if (bytes === undefined) throw new Error(`${tilePath(tile)} is not there`);
    tiles.set(`${tile.level}/${tile.index}`, bytes);
  }
  const of = (tile: Tile): Uint8Array => tiles.get(`${tile.level}/${tile.index}`) ?? new Uint8Array();
  return encodeBase64(rootAt(size, of, sha256));
}

it('comes back from a backup and the page: nothing published is lost, and every old checkpoint is of the same log', async () => {
  const by = player(origin, eu, 1);
  const old: Checkpoint[] = [];
  const first = await start(lost);
  await send(first, by, 5);
  old.push(await atLeast(lost, 7));

  const [made] = await Promise.all([
    highwater(['backup', backup, '--data', lost, '--collector', first.url, '--json']),
    send(first, by, 20),
  ]);
  expect([made.code, made.stderr]).toEqual([0, '']);
  const { commits, configFile } = JSON.parse(made.stdout) as { commits: number; configFile: string };
  // It was not named: the collector said which one it runs.
  expect(configFile).toBe(file);
  expect(readFileSync(join(backup, 'config.yaml'), 'utf8')).toBe(readFileSync(file, 'utf8'));
  expect(statSync(join(backup, '.lock.db')).mode & 0o777).toBe(0o600);
  expect(commits).toBeGreaterThanOrEqual(7);
  expect(statSync(join(backup, 'keys', 'operator.key')).mode & 0o777).toBe(0o600);

  for (let round = 0; round < 3; round += 1) {
    await send(first, by, 4);
    old.push(await atLeast(lost, 27 + 4 * (round + 1)));
  }
  // A configuration that came after the backup.
  writeFileSync(file, readFileSync(file, 'utf8').replace('every: 1s', 'every: 2s'));
  const reloaded = await highwater(['config', 'apply', '--collector', first.url, '--data', lost]);
  expect(reloaded).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining(`  file ${file}\n  leaf `) as string,
  });
  old.push(await atLeast(lost, 40));
  first.signal('SIGKILL');
  await first.gone;
  const end = (await published(lost))?.size ?? 0;

  const there = await highwater(['restore', backup, '--data', lost]);
  expect([there.code, there.stderr]).toEqual([2, expect.stringContaining("has a collector's store already")]);
  const restored = await highwater(['restore', backup, '--data', fresh, '--json']);
  expect([restored.code, restored.stderr]).toEqual([0, '']);
  expect(JSON.parse(restored.stdout)).toMatchObject({
    commits: end,
    added: end - commits,
    again: 0,
    missing: {},
    damaged: [],
    config: { file: join(fresh, 'config.yaml'), isNewer: true },
  });
  expect(readFileSync(join(fresh, 'config.yaml'))).toEqual(readFileSync(join(backup, 'config.yaml')));

  await using second = await start(fresh);
  await send(second, player(origin, eu, 2), 3);
  const now = await atLeast(fresh, end + 3);
  for (const { size, root } of old) expect(await rootThen(fresh, size, now.size)).toBe(root);
});

it('takes no configuration into a backup that may be another one', async () => {
  const to = join(dir, 'second');
  const nobody = ['--collector', 'http://127.0.0.1:9'];
  const guessed = await highwater(['backup', to, '--data', lost, ...nobody], { HIGHWATER_CONFIG: undefined });
  expect([guessed.code, guessed.stderr]).toEqual([2, expect.stringContaining('name the file with --config')]);
  const other = join(dir, 'other.yaml');
  writeFileSync(other, readFileSync(file, 'utf8').replace(`origin: ${origin}`, 'origin: other.example/log'));
  const foreign = await highwater(['backup', to, '--data', lost, '--config', other]);
  expect([foreign.code, foreign.stderr]).toEqual([2, expect.stringContaining("is another log's")]);
  expect(existsSync(to)).toBe(false);
  const alike = await highwater(['backup', to, '--data', lost, ...nobody], { HIGHWATER_CONFIG: file });
  expect([alike.code, alike.stderr]).toEqual([0, '']);
  expect(alike.stdout).toContain(`\nconfig    ${file}\n`);
});

it('ends at once where no folder can be made', async () => {
  const made = await highwater(['backup', '/proc/highwater/backup', '--data', lost, '--config', file]);
  expect([made.code, made.stderr]).toEqual([2, expect.stringContaining('can not be made')]);
});

it('is not restored while the page is not reached, unless somebody says that nothing newer was seen', async () => {
  const data = join(dir, 'third');
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  const away = await highwater([
    'restore',
    backup,
    '--data',
    data,
    '--published',
    `http://127.0.0.1:${port}/log`,
  ]);
  expect(away.code).toBe(1);
  expect(away.stderr).toContain('can not be read (ECONNREFUSED)');
  expect(away.stderr).toContain('--published none');
  expect(() => statSync(join(data, 'collector'))).toThrow();
  const none = await highwater(['restore', backup, '--data', data, '--published', 'none']);
  expect([none.code, none.stderr]).toEqual([0, '']);
  // What is done to the copy that runs does nothing to the backup.
  expect(none.stdout).toContain(`up --config ${join(data, 'config.yaml')} --data ${data}\n`);
});
