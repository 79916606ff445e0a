import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

const launcher = fileURLToPath(new URL('./highwater', import.meta.url));
const smallest = fileURLToPath(new URL('../config/testdata/good/smallest.yaml', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'highwater-role-'));
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let folders = 0;
const collectorArgs = (port = '0') => {
  folders += 1;
  return ['collector', '--config', smallest, '--data', join(dir, String(folders)), '--port', port];
};

function forked(
  args: readonly string[],
  execPath = process.execPath,
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  const child = fork(launcher, [...args], {
    execPath,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  started.push(child);
  return child;
}

async function ready(child: ChildProcess): Promise<string> {
  const errors: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(errors.join(''))));
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [{ ready: string }];
  ended.catch(() => undefined);
  return message.ready;
}

describe('a role’s process', () => {
  it('says where it listens, and drains on SIGTERM with 0, however often that comes', async () => {
    const child = forked(collectorArgs());
    const url = await ready(child);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    child.kill('SIGTERM');
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  }, 60_000);

  it('ends when its supervisor is gone', async () => {
    const child = forked(collectorArgs());
    await ready(child);
    child.disconnect();
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  }, 60_000);

  it('names the flag when the port is taken, and ends with 1', async () => {
    const first = forked(collectorArgs());
    const { port } = new URL(await ready(first));
    const second = spawn(process.execPath, [launcher, ...collectorArgs(port)]);
    const errors: string[] = [];
    second.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
    const [code] = (await once(second, 'close')) as [number];
    expect(errors.join('')).toContain('--port');
    expect(code).toBe(1);
  }, 60_000);

  it('refuses stores that are not built yet', async () => {
    const child = spawn(process.execPath, [launcher, ...collectorArgs()], {
      env: { ...process.env, HIGHWATER_STORE: 'postgres://db.example.com/hw' },
    });
    const errors: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect(errors.join('')).toBe(
      'highwater collector: HIGHWATER_STORE: not in this version, unset it; everything is kept in the data folder\n',
    );
    expect(code).toBe(3);
  });

  const old = ['/usr/bin/node', '/usr/local/bin/node'].find(
    (file) => existsSync(file) && file !== process.execPath,
  );
  it.skipIf(old === undefined)(
    'works the same under a Node that has to hand over: address, signal, exit code',
    async () => {
      const child = forked(collectorArgs(), old);
      const url = await ready(child);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number];
      expect(code).toBe(0);
    },
    60_000,
  );

  it('with telemetry to a receiver that is dead, still ends in time', async () => {
    const child = forked(collectorArgs(), process.execPath, {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    });
    await ready(child);
    const askedAt = performance.now();
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(performance.now() - askedAt).toBeLessThan(8_000);
  }, 60_000);
});
