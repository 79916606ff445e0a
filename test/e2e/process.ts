/** Real processes for the end-to-end tests: started on free ports, ended by their id, never left behind. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const launcher = fileURLToPath(new URL('../../bin/highwater', import.meta.url));
const anvilPath = fileURLToPath(
  new URL('../../node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil', import.meta.url),
);

export interface Process extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly url: string;
  /** Everything it has written so far, both streams. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Resolves with exit code or signal once it is gone. */
  readonly gone: Promise<string>;
}

function watch(child: ChildProcess): Pick<Process, 'output' | 'gone'> {
  const chunks: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const gone = once(child, 'exit').then(([code, signal]) => String(signal ?? code));
  return { output: () => chunks.join(''), gone };
}

function disposable(child: ChildProcess, url: string, seen: Pick<Process, 'output' | 'gone'>): Process {
  return {
    child,
    url,
    ...seen,
    signal: (name) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const last = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await seen.gone;
      clearTimeout(last);
    },
  };
}

/** Runs `bin/highwater ARGS` to its end. */
export async function highwater(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(launcher, args, { cwd: root, env: { ...process.env, ...env } });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, stdout: out.join(''), stderr: err.join('') };
}

/** What a command line begins with: another host, another clock. */
export interface Within {
  readonly command: string;
  readonly args: readonly string[];
}

/** Starts one role. */
export function startRole(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  within?: Within,
): Promise<Process> {
  return startProgram(launcher, args, env, within);
}

/** Resolves when a program of ours says that it is ready; rejects with its output when it ends before. */
export async function startProgram(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  within?: Within,
): Promise<Process> {
  const child = fork(file, [...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    ...(within ? { execPath: within.command, execArgv: [...within.args, process.execPath] } : {}),
  });
  const seen = watch(child);
  const url = await new Promise<string>((ready, failed) => {
    child.on('message', (message: { ready?: string }) => message.ready && ready(message.ready));
    void seen.gone.then((how) => failed(new Error(`${args.join(' ')} ended (${how}):\n${seen.output()}`)));
  });
  return disposable(child, url, seen);
}

/** A real EVM node of its own chain: same id for each, other hashes. Blocks come every second unless told otherwise. */
export async function startAnvil(
  options: {
    readonly chainId?: number;
    readonly blocks?: readonly string[];
    readonly port?: number;
    readonly host?: string;
    readonly within?: Within;
  } = {},
): Promise<Process> {
  const { chainId = 31_337, blocks = ['--block-time', '1'], port = 0, host = '127.0.0.1', within } = options;
  const args = ['--host', host, '--port', String(port), '--chain-id', String(chainId), ...blocks];
  const child = spawn(
    within?.command ?? anvilPath,
    [...(within ? [...within.args, anvilPath] : []), ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const seen = watch(child);
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((ready, failed) => {
    lines.on('line', (line) => {
      const address = /Listening on ([\d.]+:\d+)/.exec(line)?.[1];
      if (address) ready(`http://${address}`);
    });
    void seen.gone.then((how) => failed(new Error(`anvil ended (${how}):\n${seen.output()}`)));
  });
  return disposable(child, url, seen);
}

/**
 * Waits until `look` gives something other than undefined or false, asking every 50 ms: the deadline is a
 * limit, not a wait. Throws what was waited for and the last error.
 */
export async function until<T>(
  what: string,
  deadlineMs: number,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause: last });
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

export async function getJson<T>(url: string, token?: string): Promise<T> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
