/**
 * A real Substrate runtime without a network: chopsticks executes Rococo Asset Hub from its raw genesis and makes
 * blocks when it is told to. Its packages are apart from the others, in test/chopsticks.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const home = new URL('../chopsticks/', import.meta.url);
const program = fileURLToPath(new URL('node_modules/@acala-network/chopsticks/chopsticks.cjs', home));
/** The one specification of connect-known-chains that has its runtime in it. */
const specification = '@substrate/connect-known-chains/rococo_v2_2_asset_hub';

/** What is not there and how it comes; undefined when all is. */
export const missing = existsSync(program)
  ? undefined
  : 'chopsticks is not installed: npm ci --prefix test/chopsticks';

/** As its server answers; errors may lack a code. */
export interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly message: string };
}

export interface Chopsticks extends AsyncDisposable {
  readonly url: string;
  readonly wsUrl: string;
  call(method: string, params?: readonly unknown[]): Promise<Answer>;
  signal(name: NodeJS.Signals): void;
  /** Resolves once it is gone. */
  readonly gone: Promise<unknown>;
}

/** Starts with block 1, made now, on top of the genesis. */
export async function startChopsticks(): Promise<Chopsticks> {
  const dir = mkdtempSync(join(tmpdir(), 'highwater-chopsticks-'));
  const { chainSpec } = createRequire(home)(specification) as { chainSpec: string };
  writeFileSync(join(dir, 'chain.json'), chainSpec);
  const args = [
    '--chain-spec',
    'chain.json',
    '--build-block-mode',
    'Manual',
    '--host',
    '127.0.0.1',
    '--port',
    '0',
  ];
  const child = spawn(process.execPath, [program, ...args], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  const gone = once(child, 'exit');
  const at = await listening(child, gone);
  const url = `http://${at}`;
  return {
    url,
    wsUrl: `ws://${at}`,
    async call(method, params = []) {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      });
      return (await answer.json()) as Answer;
    },
    signal: (name) => void child.kill(name),
    gone,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function listening(child: ChildProcess, gone: Promise<unknown>): Promise<string> {
  const said: string[] = [];
  return new Promise((ready, failed) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        const at = /listening on http:[/][/](127[.]0[.]0[.]1:\d+)/.exec(line)?.[1];
        if (at) ready(at);
      });
    }
    void gone.then(() => failed(new Error(`chopsticks ended:\n${said.join('\n')}`)));
  });
}
