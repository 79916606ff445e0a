/** F42: whatever is wrong with a file, a running collector refuses it whole, says where, and goes on as it did. */
import { mkdtempSync, readFileSync, readdirSync, statSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { operatorStatus, refused } from '@highwater/config/wire.ts';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../../bin/config-file.ts';
import { configSource, replaceFile } from '../../bin/config-source.ts';
import { startCollector, type Collector } from '../../collector/src/main.ts';

const testdata = fileURLToPath(new URL('../../config/testdata/', import.meta.url));
const bad = readdirSync(join(testdata, 'bad')).filter((name) => name.endsWith('.yaml'));
const dir = mkdtempSync(join(tmpdir(), 'highwater-broken-'));
const file = join(dir, 'hw.yaml');
const good = readFileSync(join(testdata, 'good', 'smallest.yaml'), 'utf8');
const ending = new AbortController();
let collector: Collector;
let authorization = '';
let applied = 0;

beforeAll(async () => {
  writeFileSync(file, good);
  const source = configSource({ file, complete: (config) => config, applied: () => (applied += 1), warn: () => undefined });
  collector = await startCollector(
    {
      config: readConfig(file),
      dataDir: dir,
      host: '127.0.0.1',
      port: 0,
      log: pino({ level: 'silent' }),
      source,
    },
    ending.signal,
  );
  authorization = `Bearer ${readFileSync(join(dir, 'token'), 'utf8').trim()}`;
});
afterAll(async () => {
  ending.abort();
  await collector.stopped;
  rmSync(dir, { recursive: true, force: true });
});

async function post(body: string | Uint8Array<ArrayBuffer>): Promise<Response> {
  const headers = { 'content-type': 'text/yaml', authorization };
  return fetch(`${collector.url}/v1/config?name=x.yaml`, { method: 'POST', body, headers });
}

const shown = async () => {
  const { at: _, ...status } = operatorStatus.parse(await (await fetch(`${collector.url}/v1/status`)).json());
  return [status.services, status.monitors.map(({ subject }) => subject), status.probes];
};

it(`refuses each of ${bad.length} files with mistakes by POST, with every place, and changes nothing`, async () => {
  expect(bad.length).toBeGreaterThanOrEqual(100);
  const before = await shown();
  for (const name of bad) {
    const response = await post(readFileSync(join(testdata, 'bad', name)));
    const { error } = refused.parse(await response.json());
    expect([name, response.status]).toEqual([name, 400]);
    if (error !== 'the body is not UTF-8') expect([name, error]).toEqual([name, expect.stringMatching(/^x\.yaml:\d+:\d+ /)]);
  }
  expect(await shown()).toEqual(before);
  expect(readdirSync(dir).filter((name) => name.startsWith('hw.yaml'))).toEqual(['hw.yaml']);
  expect(readFileSync(file, 'utf8')).toBe(good);
  expect(applied).toBe(0);
});

it('refuses them when its own file is so, and goes on', async () => {
  const before = await shown();
  for (const name of bad.slice(0, 20)) {
    writeFileSync(file, readFileSync(join(testdata, 'bad', name)));
    await expect(collector.reload?.()).rejects.toThrow();
  }
  writeFileSync(file, good);
  expect(await collector.reload?.()).toMatchObject({ result: 'unchanged' });
  expect(await shown()).toEqual(before);
});

it('keeps the file of before beside the new one, and puts it back', () => {
  const own = join(dir, 'own.yaml');
  writeFileSync(own, 'one\n', { mode: 0o640 });
  replaceFile(own, 'one\n')();
  expect(readdirSync(dir).filter((name) => name.startsWith('own'))).toEqual(['own.yaml']);
  const putBack = replaceFile(own, 'two\n');
  expect([readFileSync(own, 'utf8'), readFileSync(`${own}.before`, 'utf8')]).toEqual(['two\n', 'one\n']);
  // By name alone, since there may be no room for a copy.
  const { ino } = statSync(`${own}.before`);
  putBack();
  expect([readFileSync(own, 'utf8'), statSync(own).ino]).toEqual(['one\n', ino]);
  expect(() => replaceFile(join(dir, 'gone.yaml'), 'x')).toThrow(/can not be replaced \(ENOENT\)/);
});
