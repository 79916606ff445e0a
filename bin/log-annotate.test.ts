/** `highwater log annotate` as a process, against a collector that answers what a test puts there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AnnotationWritten } from '@highwater/config/wire.ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type StubCollector, stubCollector } from '../test/fixtures/stub-collector.ts';

// Each starts a process, on machines that may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });

const launcher = fileURLToPath(new URL('./highwater', import.meta.url));
const leaf = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
const written: AnnotationWritten = { result: 'written', leaf, of: leaf, at: 1_795_000_000_000 };

let collector: StubCollector;
beforeEach(async () => {
  collector = await stubCollector(written);
});
afterEach(() => collector.kill());

async function annotate(...rest: string[]): Promise<{ code: number | null; out: string }> {
  const args = [launcher, 'log', 'annotate', ...rest, '--collector', collector.url];
  const child = spawn(process.execPath, args, { env: { ...process.env, HIGHWATER_TOKEN: 'x'.repeat(32) } });
  const out: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.resume();
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: Buffer.concat(out).toString() };
}

it('prints the leaf alone, or all as JSON', async () => {
  expect(await annotate('2026/1', 'A remark.')).toEqual({ code: 0, out: `${leaf}\n` });
  const { out } = await annotate('2026/1', 'A remark.', '--json');
  expect(JSON.parse(out)).toEqual(written);
  expect(collector.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'POST /v1/annotations',
    'POST /v1/annotations',
  ]);
});

it('ends with 3 where something else answers, or nothing', async () => {
  collector.body = { result: 'acknowledged' };
  expect(await annotate('2026/1', 'A remark.')).toEqual({ code: 3, out: '' });
  await collector.kill();
  expect(await annotate('2026/1', 'A remark.')).toEqual({ code: 3, out: '' });
});
