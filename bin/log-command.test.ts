/** `highwater log status` as a process, against a collector that answers what a test puts there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LogStatus, OperatorStatus } from '@highwater/config/wire.ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type StubCollector, stubCollector } from '../test/fixtures/stub-collector.ts';

// Each starts a process, on machines that may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });

const launcher = fileURLToPath(new URL('./highwater', import.meta.url));
const at = 1_795_000_000_000;
const log: LogStatus = {
  origin: 'status.example.com/log/2026',
  year: 2026,
  key: 'status.example.com/log/2026+1234abcd+AX',
  size: 5,
  root: 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
  signedAt: at,
  pending: 0,
  witnesses: [],
};
const witness = { name: 'w1', url: 'https://witness.example.net', size: 5, at };
const refused = {
  since: at,
  because: 'witness w1 knows more',
  remedy: 'highwater restore DIR --published URL',
};

let collector: StubCollector;
beforeEach(async () => {
  collector = await stubCollector();
});
afterEach(() => collector.kill());

function statusWith(log: LogStatus | undefined): OperatorStatus {
  const nothing = { services: [], nodes: [], monitors: [], heads: [], unwellRegions: [], probes: [] };
  return {
    at,
    site: 'Example',
    ...nothing,
    incidents: [],
    alarms: [],
    ...(log === undefined ? {} : { log }),
  };
}

async function logStatus(...flags: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const args = [launcher, 'log', 'status', '--collector', collector.url, ...flags];
  const child = spawn(process.execPath, args, { env: { ...process.env, HIGHWATER_TOKEN: 'x'.repeat(32) } });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

it.each<[string, Partial<LogStatus>, number, string]>([
  ['without witnesses', {}, 0, 'only its operator vouches'],
  ['with a quorum', { quorum: true, witnesses: [witness] }, 0, 'cosigned 5'],
  ['without its quorum', { quorum: false, witnesses: [witness] }, 1, 'FEWER THAN THE POLICY ASKS FOR'],
  ['refused', { refused }, 1, 'highwater restore DIR --published URL'],
])('%s it says so, and ends with %j', async (_, more, code, says) => {
  collector.body = statusWith({ ...log, ...more });
  const ended = await logStatus();
  expect(ended).toMatchObject({ code, err: '' });
  expect(ended.out).toContain(says);
});

it('gives the same as JSON', async () => {
  collector.body = statusWith({ ...log, quorum: false, witnesses: [witness] });
  const { code, out } = await logStatus('--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({ ...log, quorum: false, witnesses: [witness] });
});

it('ends with 3 where no collector is, or one that tells nothing of its log', async () => {
  collector.body = statusWith(undefined);
  expect(await logStatus()).toMatchObject({ code: 3, out: '' });
  await collector.kill();
  expect(await logStatus()).toMatchObject({ code: 3, out: '' });
});
