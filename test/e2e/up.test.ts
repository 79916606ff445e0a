import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getJson, until } from './process.ts';

/** `npm start` as a newcomer runs it: a process group of npm, the supervisor and the roles. */
interface Up {
  readonly child: ChildProcess;
  readonly output: () => string;
}

function start(dir: string, extra: readonly string[] = []): Up {
  const ports = ['--site-port', '0', '--collector-port', '0', '--alerts-port', '0', '--probe-port', '0'];
  const args = ['start', '-s', '--', '--config', join(dir, 'hw.yaml'), '--data', join(dir, 'data'), ...ports];
  const child = spawn('npm', [...args, ...extra], { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return { child, output: () => chunks.join('') };
}

async function pageOf(up: Up): Promise<string> {
  return until('the address of the page is printed', 60_000, () => {
    if (up.child.exitCode !== null) throw new Error(up.output());
    return /page +(http:\S+)/.exec(up.output())?.[1];
  });
}

async function end(up: Up): Promise<number> {
  const from = performance.now();
  up.child.kill('SIGTERM');
  await once(up.child, 'exit');
  return performance.now() - from;
}

/** Processes that still have the data folder in their arguments: pid and command line. */
function left(dir: string): { pid: number; command: string }[] {
  const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return command.includes(dir) ? [{ pid: Number(pid), command }] : [];
    } catch {
      return []; // It ended while we looked.
    }
  });
}

describe('npm start', () => {
  const dir = mkdtempSync(join(tmpdir(), 'highwater-up-'));
  const target = createServer((_, answer) => answer.end('ok'));
  beforeAll(async () => {
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
    writeFileSync(
      join(dir, 'hw.yaml'),
      `site: { name: Up, url: "http://localhost:3000" }
services:
  - id: web
    name: Web
    nodes: [ { id: main, zone: home, url: "${url}", allowPrivate: true } ]
    checks: [ { kind: http, every: 1s, timeout: 500ms } ]
`,
    );
  });
  afterAll(() => {
    target.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const keys = () =>
    ['operator', 'local'].map((id) => readFileSync(join(dir, 'data', 'keys', `${id}.key`), 'utf8'));
  /** When the history of the page began: at the first start. */
  const begun = async (page: string) => {
    type Components = { components: { created_at: string }[] };
    return (await getJson<Components>(`${page}/api/v2/components.json`)).components[0]?.created_at;
  };
  const operational = async (page: string) => {
    const { components } = await getJson<{ components: { status: string }[] }>(
      `${page}/api/v2/components.json`,
    );
    return components.length === 1 && components[0]?.status === 'operational';
  };

  it('serves the page, keeps roles alive, ends within 10 s, and goes on from there', async () => {
    const first = start(dir);
    try {
      const page = await pageOf(first);
      await until('the endpoint is operational on the page', 20_000, () => operational(page));
      const made = keys();
      const began = await begun(page);

      const collector = left(dir).find(({ command }) => command.includes(' collector '));
      process.kill(collector?.pid ?? 0, 'SIGKILL');
      await until('a new collector', 10_000, () =>
        left(dir).some(({ command, pid }) => command.includes(' collector ') && pid !== collector?.pid),
      );
      await until('the page follows it', 20_000, async () => {
        const { observedAt } = await getJson<{ observedAt?: number }>(`${page}/api/services.json`);
        return observedAt !== undefined && Date.now() - observedAt < 3_000;
      });

      const second = start(dir);
      await once(second.child, 'exit');
      expect(second.output()).toMatch(
        /is in use by process \d+; stop that one, or give this one its own with --data/,
      );

      expect(await end(first)).toBeLessThan(10_000);
      expect(left(dir)).toEqual([]);

      const again = start(dir);
      try {
        const later = await pageOf(again);
        expect(await begun(later)).toBe(began);
        expect(keys()).toEqual(made);
      } finally {
        expect(await end(again)).toBeLessThan(10_000);
      }
      expect(left(dir)).toEqual([]);
    } finally {
      first.child.kill('SIGTERM');
    }
  }, 120_000);
});
