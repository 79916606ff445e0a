/**
 * The log as a stranger checks it, on real processes: a probe, a collector, a page. The script of test/conformance, which
 * shares no code with what wrote the log, walks what both serve, the page with the collector dead too; Go walks the files.
 */
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseBatchText } from '@highwater/config/proof/batch.ts';
import { decodeBase64, decodeUtf8, encodeHex } from '@highwater/config/proof/bytes.ts';
import { parseCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { bundlePath, decodeBundle } from '@highwater/config/proof/tiles.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GO_PACKAGES, buildGoChecker, isGoMissing } from '../conformance/go-checker.ts';
import { highwater, type Process, startRole, until } from './process.ts';

const script = fileURLToPath(new URL('../conformance/walk.mjs', import.meta.url));

/** Runs the script against what serves the log under a URL. */
function walk(url: string, ...flags: readonly string[]): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, `${url}/log`, ...flags], (_, out, error) =>
      resolve({ code: child.exitCode, said: out + error }),
    );
  });
}

async function get(url: string): Promise<{ status: number; bytes: Uint8Array }> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) };
}

interface Body {
  readonly service: string;
  readonly path: string;
}

/** What is published of a year: its entries' number, and the bodies that its batches name. */
async function published(url: string, year: number): Promise<{ size: number; bodies: Body[] } | undefined> {
  const { status, bytes } = await get(`${url}/log/${year}/checkpoint`);
  if (status !== 200) return undefined;
  const note = parseNote(decodeUtf8(bytes) ?? '');
  const checkpoint = 'error' in note ? note : parseCheckpointText(note.text);
  if ('error' in checkpoint) throw new Error(checkpoint.error);
  const bundle = await get(`${url}/log/${year}/${bundlePath(0, Math.min(256, checkpoint.size))}`);
  const entries = decodeBundle(bundle.bytes);
  if ('error' in entries) throw new Error(entries.error);
  const bodies = entries.flatMap((entry) => {
    const leaf = parseNote(decodeUtf8(entry) ?? '');
    const batch = 'error' in leaf ? leaf : parseBatchText(leaf.text);
    if ('error' in batch) return [];
    return batch.bodies.map(({ service, hash }) => ({
      service,
      path: `/log/${year}/body/${encodeHex(decodeBase64(hash) ?? new Uint8Array())}`,
    }));
  });
  return { size: checkpoint.size, bodies };
}

describe('the published log', () => {
  const stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-log-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const data = join(dir, 'data');
  const year = new Date().getUTCFullYear();
  let collector: Process;
  let site: Process;
  let startPage: () => Promise<Process>;
  let bodies: readonly Body[] = [];
  /** As somebody has them who asked before the collector died. */
  let keys: readonly string[] = [];
  afterAll(() => stack.disposeAsync());

  beforeAll(async () => {
    const target = createServer((_, answer) => answer.end('ok')).listen(0, '127.0.0.1');
    await once(target, 'listening');
    stack.defer(() => void target.close());
    const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
    const made = await highwater(['probe', 'keygen', '--id', 'eu-1', '--data', join(dir, 'eu')]);
    const config = join(dir, 'highwater.yaml');
    const service = (id: string, more: string): string => `  - id: ${id}
    name: ${id}
    ${more}
    nodes: [ { id: main, zone: eu, url: "${url}", allowPrivate: true } ]
    checks: [ { kind: http, every: 1s, timeout: 500ms } ]
`;
    writeFileSync(
      config,
      `site: { name: Test, url: "https://status.example.com" }
regions: [ { id: eu, name: Frankfurt } ]
probes: [ { id: eu-1, region: eu, key: "${made.stdout.trimEnd().split('\n').at(-1)}" } ]
services:
${service('web', 'visibility: public')}${service('vault', 'visibility: private')}`,
    );
    const common = ['--config', config, '--data', data, '--port', '0'];
    collector = stack.use(await startRole(['collector', ...common]));
    startPage = () => startRole(['site', ...common, '--collector', collector.url]);
    site = stack.use(await startPage());
    const args = ['probe', '--id', 'eu-1', '--data', join(dir, 'eu'), '--collector', collector.url];
    stack.use(await startRole([...args, '--allow-private', '127.0.0.0/8', '--port', '0']));
    // A minute is closed some seconds after its end, and is in the tree within a minute.
    bodies = await until(
      'a batch with both services is on the page, with its public body',
      150_000,
      async () => {
        const onPage = (await published(site.url, year))?.bodies ?? [];
        const shown = onPage.filter(({ service }) => service === 'web');
        if (shown.length === 0 || shown.length === onPage.length) return undefined;
        const statuses = await Promise.all(
          shown.map(async ({ path }) => (await get(site.url + path)).status),
        );
        return statuses.every((status) => status === 200) && onPage;
      },
    );
    const lines = Buffer.from((await get(`${collector.url}/log/keys`)).bytes)
      .toString()
      .trimEnd()
      .split('\n');
    keys = lines.flatMap((line) => {
      const [word = '', vkey = ''] = line.split(' ');
      return [`--${word}-key`, vkey];
    });
  }, 180_000);

  /** What it says of a log that fits: all kinds, all bodies but those of the private service. */
  function expectFits({ code, said }: Awaited<ReturnType<typeof walk>>): void {
    expect(said).toMatch(new RegExp(`${year}: \\d+ entries, root \\S{44}, \\d+ tiles, 0 of 0 witnesses\n`));
    expect(said).toMatch(/entries: [1-9]\d* batch, 1 config, 1 probe; each a note signed by a key/);
    expect(said).toMatch(/batches: 1 epochs, each a chain; 0 numbers signed twice\n/);
    expect(said).toMatch(/bodies: [1-9]\d* as committed to, [1-9]\d* not published\nall of it fits\n$/);
    expect(code).toBe(0);
  }

  it('fits as the collector and as the page serve it, with the log’s keys and with those had by another way', async () => {
    for (const { url } of [collector, site]) {
      expectFits(await walk(url));
      const { code, said } = await walk(url, ...keys);
      expect([code, said.match(/: as given/g)?.length]).toEqual([0, 2]);
    }
  });

  it('has no body of a private service on either', async () => {
    for (const { service, path } of bodies) {
      for (const { url } of [collector, site])
        expect([service, (await get(url + path)).status]).toEqual([service, service === 'web' ? 200 : 404]);
    }
  });

  it('fits on the page with the collector killed', async () => {
    collector.signal('SIGKILL');
    await collector.gone;
    expectFits(await walk(site.url, ...keys));
  });

  const isMissing = isGoMissing();
  it.skipIf(isMissing)(`is what Go says of the dead collector's files (without ${GO_PACKAGES})`, () => {
    const folder = join(data, 'collector', 'blobs', 'log', String(year));
    const key = keys[keys.indexOf('--log-key') + 1];
    expect(buildGoChecker(dir)([`log ${folder} ${key}`])[0]).toMatch(/^\d+ entries, root \S{44}$/);
  });

  it('does not fit on the page when one bit of a bundle in its folder is another', async () => {
    // What it has verified it may still hold in memory.
    await site[Symbol.asyncDispose]();
    const folder = join(data, 'site', 'log', String(year), 'tile', 'entries', '000.p');
    const [width = ''] = readdirSync(folder);
    const bytes = readFileSync(join(folder, width));
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    writeFileSync(join(folder, width), bytes);
    site = stack.use(await startPage());
    const { code, said } = await walk(site.url);
    expect(said).toContain(`MISMATCH ${year}/tile/entries/000.p/${width}: is not there`);
    expect(said).not.toContain('all of it fits');
    expect(code).toBe(1);
  });
});
