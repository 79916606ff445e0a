/**
 * What nobody should send a collector: replayed, reordered, a hundred times over, truncated, forged, by keys that are
 * unknown or revoked, far too large, of the wrong type. Each gets the status of CONTRACTS "Answers"; nothing that is
 * kept changes, to the byte, and the collector's memory does not grow.
 *
 *   npm run test:long -- unwelcome        HIGHWATER_SEED=N to repeat a run
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import Database from 'better-sqlite3';
import { generateSigningKey, sha256, type SigningKey } from '@highwater/config/keys.ts';
import { formatBatchText } from '@highwater/config/proof/batch.ts';
import { formatConfigLeaf, formatMaintLeaf, formatProbeLeaf } from '@highwater/config/proof/leaves.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import type { Why } from '@highwater/config/wire.ts';
import { expect, it } from 'vitest';
import { type Player, player } from '../../collector/src/testing/player.ts';
import { readConfig } from '../../bin/config-file.ts';
import { openHouse } from '../../collector/src/testing/house.ts';
import { getJson, highwater, startRole, until, type Process } from '../e2e/process.ts';
import { randomFrom } from './random.ts';

const seed = Number(process.env['HIGHWATER_SEED'] ?? Date.now() % 1_000_000_007);
const ids = ['eu-1', 'us-1', 'sg-1', 'old-1'] as const;
const minutesSent = 2;
const intervalMs = 10_000;
/** What the collector may have grown by, after V8 has had no reason to give anything back. */
const growthBytes = 96 * 1_048_576;

type Way = '/v1/frames' | '/v1/batches';
interface Said {
  readonly path: Way;
  readonly note: string;
}
interface Case {
  readonly what: string;
  readonly status: number;
  send(): Promise<number>;
}

function configText(keys: readonly SigningKey[]): string {
  const probes = keys.map(
    ({ name, vkey }) => `  - { id: ${name}, region: ${regionOf(name)}, key: "${vkey}" }`,
  );
  return `site: { name: Unwelcome, url: "http://127.0.0.1:9" }
regions: [ { id: eu, name: Europe }, { id: us, name: America }, { id: sg, name: Asia } ]
probes:
${probes.join('\n')}
services:
  - id: web
    name: Web
    nodes: [ { id: main, zone: z, url: "http://192.0.2.1", allowPrivate: true } ]
    checks: [ { kind: http, every: ${intervalMs}ms, timeout: 5s } ]
`;
}

const regionOf = (id: string): string => (id === 'old-1' ? 'eu' : id.slice(0, 2));

/** Every table that a replay could change and that is written at once, to the byte. */
function kept(data: string): string {
  const db = new Database(join(data, 'collector', 'store.db'), { readonly: true });
  try {
    const digest = createHash('sha256');
    for (const table of [
      'commits',
      'batch_minutes',
      'checkpoints',
      'bodies',
      'body_places',
      'flips',
      'frames',
    ]) {
      const order = table === 'bodies' ? '1, 2' : '1, 2, 3, 4';
      for (const row of db.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).raw().iterate()) {
        for (const value of row as unknown[]) digest.update(Buffer.isBuffer(value) ? value : String(value));
      }
    }
    const count = (table: string): number =>
      db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0;
    return `${count('commits')} commits, ${count('bodies')} bodies, ${digest.digest('hex')}`;
  } finally {
    db.close();
  }
}

/** Whether the log has taken up every commit. */
function isSettled(data: string): boolean {
  const db = new Database(join(data, 'collector', 'store.db'), { readonly: true });
  try {
    const number = (sql: string): unknown => db.prepare(sql).pluck().get();
    return number('SELECT max(size) FROM checkpoints') === number('SELECT count(*) FROM commits');
  } finally {
    db.close();
  }
}

function residentBytes(pid: number | undefined): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1_024;
}

/** The status of an answer, also of one that comes before all was sent. */
function post(url: string, body: string | Readable, type = 'text/plain'): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', headers: { 'content-type': type }, timeout: 20_000 });
    asked.once('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
    // Also after the answer: what was refused is not read to its end.
    asked.on('error', reject);
    if (typeof body === 'string') asked.end(body);
    else pipeline(body, asked, () => undefined);
  });
}

/** Many bytes without a length, so that only counting them can stop it. */
function* endless(bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(65_536, 'a');
  for (let left = bytes; left > 0; left -= chunk.length) yield chunk;
}

/** What lines and batches must name so that they count: the seed of due times, the configuration's leaf. */
interface Named {
  readonly seed: string;
  readonly config: string;
}

function namedIn(data: string): Named {
  const db = new Database(join(data, 'collector', 'store.db'), { readonly: true });
  try {
    const read = (sql: string): unknown => db.prepare(sql).pluck().get();
    return {
      seed: String(read("SELECT value FROM meta WHERE key = 'seed'")),
      config: (read("SELECT hash FROM commits WHERE kind = 'config'") as Buffer).toString('base64'),
    };
  } finally {
    db.close();
  }
}

/** A minute of lines of one probe and the batch that closes it. */
function minuteOf(probe: Player, minute: number, named: Named): Said[] {
  const phase = phaseMs(named.seed, 'web/main/http', probe.id, intervalMs, sha256);
  const lines = Array.from({ length: MINUTE_MS / intervalMs }, (_, i) => {
    const due = minute * MINUTE_MS + i * intervalMs + phase;
    return `web/main/http ${due} ${i % 3 === 0 ? 'fail 50000 target.http.status' : 'ok 120 -'}`;
  });
  const frame = probe.frame(lines);
  const { note } = probe.batch({ config: named.config, minute });
  return [
    { path: '/v1/frames', note: frame },
    { path: '/v1/batches', note },
  ];
}

function flip(text: string, at: number): string {
  const other = text[at] === 'A' ? 'B' : 'A';
  return text.slice(0, at) + other + text.slice(at + 1);
}

it(`what is unwelcome is refused by its status and changes nothing (seed ${seed})`, async () => {
  console.log(`seed ${seed}: HIGHWATER_SEED=${seed} npm run test:long -- unwelcome`);
  const random = randomFrom(seed);
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-unwelcome-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const keys = ids.map((id) => generateSigningKey(id));
  const [file, data] = [join(dir, 'highwater.yaml'), join(dir, 'data')];
  // Half an hour ago all four were enrolled and sent; one has been revoked since.
  const then = Date.now() - 30 * MINUTE_MS;
  writeFileSync(file, configText(keys));
  const first = await openHouse(readConfig(file), data, {
    now: () => then,
    monotonic: () => performance.now(),
  });
  const open = async (declared: readonly SigningKey[]): Promise<Process> => {
    writeFileSync(file, configText(declared));
    return startRole(['collector', '--config', file, '--data', data, '--port', '0'], {
      HIGHWATER_LOG_LEVEL: 'error',
    });
  };
  const origin = '127.0.0.1:9/log';

  const players = new Map(keys.map((key) => [key.name, player(origin, key)]));
  const playerOf = (id: string): Player => {
    const found = players.get(id);
    if (found === undefined) throw new Error(`no player ${id}`);
    return found;
  };
  const now = Math.floor(then / MINUTE_MS);
  const said: Said[] = [];
  // From the first minute in which its configuration is in force; no further ahead than is taken.
  const named = namedIn(data);
  for (let minute = now + 1; minute <= now + minutesSent; minute += 1) {
    for (const probe of players.values()) said.push(...minuteOf(probe, minute, named));
  }
  for (const { path, note } of said) expect([path, await post(first.url + path, note)]).toEqual([path, 200]);
  await first.stop();
  const collector = stack.use(await open(keys.slice(0, 3)));
  const { url } = collector;
  const stillEnrolled = said.filter(({ note }) => !note.includes('\nprobe old-1\n'));
  const revoked = said.filter(({ note }) => note.includes('\nprobe old-1\n'));
  await until('all commits are in the log', 30_000, () => isSettled(data));
  // Whoever asks for a slot has it worked out from all commits.
  const slots = (): Promise<Why['slot'][]> =>
    Promise.all(
      Array.from({ length: minutesSent }, (_, i) =>
        getJson<Why>(
          `${url}/v1/why?monitor=${encodeURIComponent('web/main/http')}&at=${(now + 1 + i) * MINUTE_MS}`,
        ).then(({ slot }) => slot),
      ),
    );

  const stranger = generateSigningKey('xx-1');
  const impostor = player(origin, generateSigningKey('eu-1'), 7);
  const [someFrame, someBatch] = stillEnrolled;
  if (someFrame === undefined || someBatch === undefined) throw new Error('nothing was sent');
  const eu = playerOf('eu-1');
  const key = keys[0] as SigningKey;
  const cut = (note: string): string => note.slice(0, 1 + Math.floor(random() * (note.length - 2)));
  const anyOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const from = now + 1;
  const wrongTypes = [
    formatConfigLeaf({ origin, from, bytes: 1, hash: ZERO_HASH }),
    formatProbeLeaf({
      origin,
      act: 'enrol',
      from,
      probe: 'eu-1',
      region: 'eu',
      key: key.vkey,
      operator: 'x',
    }),
    formatMaintLeaf({ act: 'declare', origin, from, last: from + 1, subjects: ['web'] }),
    `${origin}/2026\n5\n${ZERO_HASH}\n`,
  ].map((text) => key.sign(text));
  const both = ['/v1/frames', '/v1/batches'] as const;
  const noteCase = (what: string, status: number, path: Way, note: string, type?: string): Case => ({
    what: `${what} to ${path}`,
    status,
    send: () => post(url + path, note, type),
  });
  const ahead = eu.sign(
    formatBatchText({
      origin,
      probe: 'eu-1',
      epoch: 9,
      number: 0,
      prev: ZERO_HASH,
      minutes: { first: now + 60, last: now + 60 },
      config: ZERO_HASH,
      clock: { boundMs: 5, ageS: 0 },
      tip: { size: 0, root: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' },
      gaps: [],
      bodies: [],
    }),
  );
  const cases: Case[] = [
    // A hundred times each, in an order of chance.
    ...Array.from({ length: 100 }, () => stillEnrolled)
      .flat()
      .map(({ path, note }) => noteCase('a replay', 200, path, note)),
    ...Array.from({ length: 200 }, () => anyOf(stillEnrolled)).map(({ path, note }) =>
      noteCase('a truncated note', 400, path, cut(note)),
    ),
    ...Array.from({ length: 200 }, () => anyOf(stillEnrolled)).map(({ path, note }) => {
      const at = note.indexOf('epoch 0') + 6;
      return noteCase('a forged text', 401, path, note.slice(0, at) + '1' + note.slice(at + 1));
    }),
    ...Array.from({ length: 50 }, () => anyOf(stillEnrolled)).map(({ path, note }) =>
      noteCase('a forged signature', 401, path, flip(note, note.length - 30)),
    ),
    ...revoked.map(({ path, note }) => noteCase('a revoked key', 401, path, note)),
    ...minuteOf(playerOf('old-1'), now, named).map(({ path, note }) =>
      noteCase('something new by a revoked key', 401, path, note),
    ),
    ...minuteOf(player(origin, stranger), now, named).map(({ path, note }) =>
      noteCase('an unknown key', 401, path, note),
    ),
    ...minuteOf(impostor, now, named).map(({ path, note }) =>
      noteCase("another key under a known probe's name", 401, path, note),
    ),
    ...minuteOf(player('other.example/log', key, 8), now, named).map(({ path, note }) =>
      noteCase('a note for another log', 400, path, note),
    ),
    noteCase('a frame', 400, '/v1/batches', someFrame.note),
    noteCase('a batch', 400, '/v1/frames', someBatch.note),
    ...both.flatMap((path) => wrongTypes.map((note) => noteCase('a note of another type', 400, path, note))),
    noteCase('a minute that is far ahead', 422, '/v1/batches', ahead),
    ...both.flatMap((path) => [
      noteCase('nothing', 400, path, ''),
      noteCase('no JSON', 400, path, '{', 'application/json'),
      noteCase('JSON of another shape', 400, path, '{"note":1}', 'application/json'),
      noteCase('deep JSON', 400, path, '['.repeat(100_000), 'application/json'),
      noteCase('another type', 415, path, someFrame.note, 'application/octet-stream'),
      noteCase('a form', 415, path, 'a=b', 'application/x-www-form-urlencoded'),
      ...Array.from({ length: 20 }, () => noteCase('ten megabytes', 413, path, 'a'.repeat(10 * 1_048_576))),
      ...Array.from({ length: 20 }, (): Case => ({
        what: `ten megabytes without a length to ${path}`,
        status: 413,
        send: () => post(url + path, Readable.from(endless(10 * 1_048_576))),
      })),
    ]),
  ];
  for (let i = cases.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [cases[i], cases[j]] = [cases[j] as Case, cases[i] as Case];
  }
  const before = kept(data);
  expect(before).toMatch(/^\d{2} commits, [1-9]/);
  const slotsBefore = await slots();
  expect(slotsBefore.map((slot) => [slot?.minute, slot?.state])).toEqual(
    Array.from({ length: minutesSent }, (_, i) => [now + 1 + i, 'up']),
  );
  // Once through the large ones first: what the process takes for itself is then there.
  for (const each of cases.filter(({ status }) => status === 413).slice(0, 10)) await each.send();
  const residentBefore = residentBytes(collector.child.pid);
  const wrong: string[] = [];
  for (const each of cases) {
    const status = await each.send().catch((error: unknown) => String(error));
    if (status !== each.status) wrong.push(`${each.what}: ${status} for ${each.status}`);
  }
  const grownBytes = residentBytes(collector.child.pid) - residentBefore;
  console.log(`${cases.length} unwelcome calls, resident ${Math.round(grownBytes / 1_048_576)} MiB more`);
  expect([...new Set(wrong)]).toEqual([]);
  expect(kept(data)).toBe(before);
  expect(await slots()).toEqual(slotsBefore);
  expect(grownBytes).toBeLessThan(growthBytes);
  // And it still takes what is welcome.
  for (const { path, note } of minuteOf(playerOf('us-1'), now, named)) {
    expect(await post(url + path, note)).toBe(200);
  }
  collector.signal('SIGTERM');
  expect(await collector.gone).toBe('0');
  const views = await highwater(['rebuild', '--check', '--config', file, '--data', data]);
  expect([views.code, views.stdout]).toEqual([0, expect.stringContaining('equal     every block')]);
}, 240_000);
