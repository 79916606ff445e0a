/**
 * prometheus-blackbox-exporter with a module that asks what ours asks. Each probe is one request to its /probe over
 * connections that are kept, which is the cheapest way to ask it; its own CPU is counted, not that of who asks.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { inTurn } from './asked.ts';
import type { Contender } from './contender.ts';
import { callMany, inFlight } from './in-flight.ts';

const command = 'prometheus-blackbox-exporter';
const startsWithinMs = 10_000;

/** One module of its configuration; JSON is YAML. */
export type Module = Readonly<Record<string, unknown>>;

export interface BlackboxOptions {
  readonly name: string;
  readonly module: Module;
  /** What it probes, in turn. */
  readonly targets: readonly string[];
  /** PEM, written to `ca.pem` beside the configuration. */
  readonly ca?: string;
  /** Threads of Go; as many as CPUs when left out. */
  readonly maxProcs?: number;
}

/** Where `module` names the certificate of the CA, it writes this. */
export const caFile = 'ca.pem';

export async function startBlackbox(options: BlackboxOptions): Promise<Contender> {
  const dir = mkdtempSync(join(tmpdir(), 'highwater-blackbox-'));
  writeFileSync(join(dir, 'blackbox.yml'), JSON.stringify({ modules: { bench: options.module } }));
  if (options.ca !== undefined) writeFileSync(join(dir, caFile), options.ca);
  const port = await freePort();
  const { maxProcs } = options;
  const child = spawn(
    command,
    ['--config.file=blackbox.yml', `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'],
    {
      cwd: dir,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...(maxProcs === undefined ? {} : { GOMAXPROCS: String(maxProcs) }) },
    },
  );
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: inFlight });
  const stop = async () => {
    await pool.destroy();
    if (child.pid !== undefined && child.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
    rmSync(dir, { recursive: true });
  };
  try {
    await started(child, pool);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  const target = inTurn(options.targets);
  const probe = async () => {
    const path = `/probe?module=bench&target=${encodeURIComponent(target())}`;
    const text = await (await pool.request({ path, method: 'GET' })).body.text();
    if (!text.includes('\nprobe_success 1')) throw new Error(`blackbox did not find it good:\n${text}`);
  };
  return {
    name: options.name,
    async run(checks) {
      const before = cpuOf(child);
      await callMany(probe, checks);
      return cpuOf(child) - before;
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function started(child: ChildProcess, pool: Pool): Promise<void> {
  const failed = once(child, 'exit').then(
    () => Promise.reject(new Error(`${command} has ended`)),
    (thrown: NodeJS.ErrnoException) => {
      const missing = new Error(`${command} is missing; install it: apt-get install ${command}`);
      return Promise.reject(thrown.code === 'ENOENT' ? missing : thrown);
    },
  );
  const answers = async () => {
    const until = performance.now() + startsWithinMs;
    for (;;) {
      try {
        const { statusCode, body } = await pool.request({ path: '/-/healthy', method: 'GET' });
        await body.dump();
        if (statusCode === 200) return;
      } catch (thrown) {
        if (performance.now() > until) throw thrown;
      }
      await wait(20);
    }
  };
  await Promise.race([answers(), failed]);
  failed.catch(() => undefined);
}

/** It takes no port 0: one that was free just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** User and system CPU of a process in microseconds: Linux counts them here in ticks of 10 ms. */
function cpuOf({ pid }: ChildProcess): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Its name in brackets may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system] = fields.slice(11, 13).map(Number);
  return ((user ?? NaN) + (system ?? NaN)) * 10_000;
}
