import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OperatorStatus } from '@highwater/config/wire.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getJson, highwater, startRole, until } from './process.ts';

const launcher = fileURLToPath(new URL('../../bin/highwater', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'highwater-reload-'));
const target = createServer((_, answer) => answer.end('ok'));
let url = '';
beforeAll(async () => {
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  url = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
});
afterAll(() => {
  target.close();
  rmSync(dir, { recursive: true, force: true });
});

const site = 'site: { name: Reload, url: "http://localhost:3000" }\n';
const service = (id: string): string => `  - id: ${id}
    name: ${id}
    nodes: [ { id: main, zone: home, url: "${url}", allowPrivate: true } ]
    checks: [ { kind: http, every: 1s, timeout: 500ms } ]
`;
const services = (...ids: readonly string[]): string => `services:\n${ids.map(service).join('')}`;

const statusOf = (collector: string): Promise<OperatorStatus> => getJson(`${collector}/v1/status`);
const upIn = async (collector: string, ids: readonly string[]): Promise<boolean> => {
  const status = await statusOf(collector);
  const up = status.services.filter((each) => each.status === 'up').map(({ subject }) => subject);
  return status.services.length === ids.length && ids.every((id) => up.includes(id));
};

describe('a configuration that changes under what runs', () => {
  let up: ChildProcess | undefined;
  afterAll(async () => {
    if (up === undefined || up.exitCode !== null) return;
    up.kill('SIGTERM');
    await once(up, 'exit');
  });

  it('is taken whole by up, with the probes of its machine, or not at all', async () => {
    const [file, data] = [join(dir, 'hw.yaml'), join(dir, 'data')];
    const keygen = async (id: string): Promise<string> => {
      const { stdout } = await highwater(['probe', 'keygen', '--id', id, '--data', data]);
      return stdout.trim().split('\n').at(-1) ?? '';
    };
    const [first, second] = [await keygen('one-1'), await keygen('two-1')];
    const probes = (...keys: readonly string[]): string =>
      `regions: [ { id: one, name: One }, { id: two, name: Two } ]\nprobes:\n${keys
        .map((key) => `  - { id: ${key.split('+')[0] ?? ''}, region: ${key.slice(0, 3)}, key: "${key}" }\n`)
        .join('')}`;
    writeFileSync(file, `${site}${probes(first)}${services('web')}`);
    const ports = ['site', 'collector', 'alerts', 'probe'].flatMap((role) => [`--${role}-port`, '0']);
    up = spawn(launcher, ['up', '--config', file, '--data', data, ...ports], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: string[] = [];
    up.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    up.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    const collector = await until('the address of the collector is printed', 60_000, () => {
      if (up?.exitCode !== null) throw new Error(chunks.join(''));
      return /collector +(http:\S+)/.exec(chunks.join(''))?.[1];
    });
    await until('web is up', 20_000, () => upIn(collector, ['web']));

    writeFileSync(file, `${site}${probes(first)}${services('web')}typo: 1\n`);
    up.kill('SIGHUP');
    await until('the mistake is told', 20_000, () =>
      /typo[^]*the configuration that runs stays/.test(chunks.join('')),
    );
    expect(await upIn(collector, ['web'])).toBe(true);

    writeFileSync(file, `${site}${probes(first, second)}${services('web', 'more')}`);
    up.kill('SIGHUP');
    await until('what changed, and from when, is said without being asked', 20_000, () =>
      /highwater: configuration applied: in force from [^]*services +\+more[^]* file \S+hw\.yaml\n/.test(
        chunks.join(''),
      ),
    );
    await until('both are up, and the new probe is heard', 30_000, async () => {
      const heard = (await statusOf(collector)).probes.filter(({ lastHeardAt }) => lastHeardAt !== undefined);
      return heard.length === 2 && (await upIn(collector, ['web', 'more']));
    });

    const next = join(dir, 'next.yaml');
    const before = readFileSync(file, 'utf8');
    writeFileSync(next, `${site}${probes(second)}${services('more', 'third')}`);
    const flags = ['--collector', collector, '--data', data];
    const applied = await highwater(['config', 'apply', next, ...flags]);
    expect([applied.code, applied.stderr]).toEqual([0, '']);
    expect(applied.stdout).toMatch(
      /^applied: in force from \S+ \S+ UTC\n {2}services {2}\+third -web\n[^]*probes {4}-one-1\n[^]* leaf \S{44}\n$/,
    );
    expect(readFileSync(file, 'utf8')).toBe(readFileSync(next, 'utf8'));
    expect(readFileSync(`${file}.before`, 'utf8')).toBe(before);
    await until('what is new is up by the probe that stays', 30_000, () =>
      upIn(collector, ['more', 'third']),
    );
    const again = (await highwater(['config', 'apply', '--config', file, ...flags])).stdout;
    expect(again).toMatch(/^unchanged/);

    // Without FILE it is the operator's own that is read again; nothing else takes its place.
    writeFileSync(file, `${readFileSync(file, 'utf8')}# a remark\n`);
    const own = readFileSync(file, 'utf8');
    const reread = await highwater(['config', 'apply', ...flags]);
    expect([reread.code, reread.stdout]).toEqual([
      0,
      expect.stringContaining(`unchanged: ${file} is what runs`),
    ]);
    expect(readFileSync(file, 'utf8')).toBe(own);

    up.kill('SIGTERM');
    const [code] = (await once(up, 'exit')) as [number];
    expect(code).toBe(0);
  });

  it('comes with the next start when the collector is killed', async () => {
    const [file, data] = [join(dir, 'alone.yaml'), join(dir, 'alone')];
    writeFileSync(file, `${site}${services('web')}`);
    const args = ['collector', '--config', file, '--data', data, '--port', '0'];
    const next = join(dir, 'alone-next.yaml');
    writeFileSync(next, `${site}${services('web', 'more')}`);
    const ids = async (collector: string) =>
      (await statusOf(collector)).services.map(({ subject }) => subject).sort();
    {
      await using running = await startRole(args);
      const applying = highwater(['config', 'apply', next, '--collector', running.url, '--data', data]);
      await until('the file is replaced', 20_000, () => existsSync(`${file}.before`));
      running.signal('SIGKILL');
      await running.gone;
      await applying;
    }
    // Killed between the copy and the new file it is still the old one: then nothing was applied, and no answer given.
    const expected = readFileSync(file, 'utf8').includes('more') ? ['more', 'web'] : ['web'];
    await using again = await startRole(args);
    expect(await ids(again.url)).toEqual(expected);
    const refused = await highwater([
      'config',
      'apply',
      next,
      '--collector',
      'http://127.0.0.1:9',
      '--data',
      data,
    ]);
    expect(refused.code).toBe(3);
  });
});
