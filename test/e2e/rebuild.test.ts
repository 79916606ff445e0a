/** `highwater rebuild` as an operator runs it: with the collector stopped, and by mistake with one that runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../../bin/config-file.ts';
import { openSqliteStore } from '../../collector/src/store/sqlite/sqlite-store.ts';
import { regions } from '../../collector/src/testing/config.ts';
import { fill } from '../../collector/src/testing/filled.ts';
import { highwater, startRole } from './process.ts';

const DAY_MINUTES = 1_440;
const WRONG = Uint8Array.of(255);
const dir = mkdtempSync(join(tmpdir(), 'highwater-rebuild-'));
const [file, data] = [join(dir, 'highwater.yaml'), join(dir, 'data')];
const keys = {
  eu: generateSigningKey('eu-1'),
  us: generateSigningKey('us-1'),
  sg: generateSigningKey('sg-1'),
};
/** The last ten minutes of a day and the first ten of the next. */
const day = Math.floor(Date.now() / (DAY_MINUTES * 60_000)) - 2;

beforeAll(async () => {
  writeFileSync(
    file,
    `site: { name: Rebuild, url: "http://127.0.0.1:9" }
log: { origin: rebuild.test.invalid/log }
regions: [ { id: eu, name: Europe }, { id: us, name: America }, { id: sg, name: Asia } ]
probes:
${regions.map((region) => `  - { id: ${region}-1, region: ${region}, key: "${keys[region].vkey}" }`).join('\n')}
services:
  - id: web
    name: Web
    nodes: [ { id: main, zone: z, url: "http://192.0.2.1" } ]
    checks: [ { kind: http, every: 20s, timeout: 5s } ]
`,
  );
  let nth = 0;
  // Outcomes by turns: what is tested is the command.
  const random = (): number => ((nth += 7) % 100) / 100;
  const from = (day + 1) * DAY_MINUTES - 10;
  await fill(data, { config: readConfig(file), keys }, { from, minutes: 20, random });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const rebuild = (...flags: string[]) => highwater(['rebuild', '--config', file, '--data', data, ...flags]);

/** Makes one block wrong, takes one away, and adds one that the log does not give. */
async function plant(): Promise<void> {
  await using store = openSqliteStore(join(data, 'collector'));
  await store.transact('service:web', async (tx) => {
    await tx.putBlock('slots', day, 'web', WRONG);
    await tx.dropBlock('slots', day + 1, 'web/main');
    await tx.putBlock('slots', day, 'web/other', WRONG);
  });
}

it('finds all equal where nothing was changed, and says so', async () => {
  const checked = await rebuild('--check');
  expect([checked.code, checked.stderr]).toEqual([0, '']);
  expect(checked.stdout).toMatch(
    /^followed {2}\d+ commits in 1 shard, \d days\nequal {5}every block is what the log gives, byte by byte\n$/,
  );
});

it('tells what differs and changes nothing with --check, puts it right without', async () => {
  await plant();
  const differs = [
    { shard: 'service:web', view: 'slots', period: day, subject: 'web', found: 'changed' },
    { shard: 'service:web', view: 'slots', period: day, subject: 'web/other', found: 'extra' },
    { shard: 'service:web', view: 'slots', period: day + 1, subject: 'web/main', found: 'missing' },
  ];
  const inOrder = (text: string): unknown[] =>
    (JSON.parse(text) as { differences: { period: number; subject: string }[] }).differences.sort((a, b) =>
      a.period === b.period ? (a.subject < b.subject ? -1 : 1) : a.period - b.period,
    );
  for (let times = 0; times < 2; times += 1) {
    const checked = await rebuild('--check', '--json');
    expect([checked.code, checked.stderr]).toEqual([1, '']);
    expect(inOrder(checked.stdout)).toEqual(differs);
    expect(JSON.parse(checked.stdout)).toMatchObject({ shards: 1, keptDays: 0, changed: false });
  }
  const text = await rebuild('--check');
  expect(text.stdout).toMatch(/\ndiffer {4}3 blocks; .* rebuild .*--data .* puts them right\n$/);

  const mended = await rebuild('--json');
  expect([mended.code, mended.stderr]).toEqual([0, '']);
  expect(inOrder(mended.stdout)).toEqual(differs);
  expect(JSON.parse(mended.stdout)).toMatchObject({ changed: true });
  const after = await rebuild('--check', '--json');
  expect([after.code, inOrder(after.stdout)]).toEqual([0, []]);
});

it('is refused while the collector runs, which goes on, and what that one leaves is equal', async () => {
  const collector = await startRole(['collector', '--config', file, '--data', data, '--port', '0']);
  try {
    for (const flags of [[], ['--check', '--json']]) {
      const refused = await rebuild(...flags);
      expect([refused.code, refused.stdout]).toEqual([2, '']);
      expect(refused.stderr).toMatch(
        /^highwater: rebuild: the collector of \S+ runs, or another rebuild; stop it first\n$/,
      );
    }
    expect((await fetch(`${collector.url}/healthz`)).status).toBe(200);
    // A minute is asked for that nobody has looked at: all up to now are closed then.
    const at = Date.now() - 3_600_000;
    const why = await fetch(
      `${collector.url}/v1/why?monitor=${encodeURIComponent('web/main/http')}&at=${at}`,
    );
    expect(why.status).toBe(200);
  } finally {
    collector.signal('SIGTERM');
    expect(await collector.gone).toBe('0');
  }
  const checked = await rebuild('--check');
  expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('equal     every block')]);
});

it('says which folder has no store', async () => {
  const none = await highwater(['rebuild', '--config', file, '--data', join(dir, 'none')]);
  expect([none.code, none.stdout]).toEqual([2, '']);
  expect(none.stderr).toMatch(/has no collector's store; name the data folder with --data\n$/);
});
