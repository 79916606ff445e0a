/** Builds the page when it is missing, or older than its sources. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';

/** The folder of the site's package. */
export const siteRoot = dirname(dirname(fileURLToPath(import.meta.url)));
/** Where the built page is. */
export const buildDir = join(siteRoot, 'build');

const handlerFile = join(buildDir, 'handler.js');
const stampFile = join(buildDir, '.sources');
const lockFile = join(siteRoot, '.svelte-kit', 'build.lock');
/** What a reader's browser runs is made of the words of the house, too. */
const sources = ['src', 'static', 'vite.config.ts', 'tsconfig.json', 'package.json', '../config/src'];
const tools = [
  'vite',
  '@sveltejs/kit',
  '@sveltejs/adapter-node',
  'svelte',
  '@noble/hashes',
  'badge-maker',
  'd3-scale',
  'd3-shape',
  'feed',
  'ical-generator',
  'modern-tar',
  'zod',
];
const WAIT_MS = 120_000;

/**
 * Leaves a build of exactly these sources in `build/`. Two processes at once build once.
 * Throws an Error with the build's own output when it fails.
 */
export async function ensureBuilt(log: Logger): Promise<void> {
  // An image without development tools brings its build along.
  if (existsSync(handlerFile) && (await viteBin()) === undefined) return;
  const wanted = await fingerprint();
  if (await isBuilt(wanted)) return;
  await takeLock();
  try {
    if (!(await isBuilt(wanted))) await buildOnce(wanted, log);
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function buildOnce(wanted: string, log: Logger): Promise<void> {
  const startedAt = performance.now();
  log.info({ event: 'site.build' }, 'building the page');
  await build();
  await writeFile(stampFile, wanted);
  log.info({ event: 'site.built', ms: Math.round(performance.now() - startedAt) }, 'page built');
}

async function isBuilt(wanted: string): Promise<boolean> {
  return existsSync(handlerFile) && (await readFile(stampFile, 'utf8').catch(() => '')) === wanted;
}

/** SHA-256 over names and bytes of all sources, and the versions of what builds them. Tests are left out. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of await sourceFiles())
    hash.update(`${relative(siteRoot, file)}\0`).update(await readFile(file));
  for (const tool of tools) hash.update(`${tool}@${await versionOf(tool)}\0`);
  return hash.digest('hex');
}

async function sourceFiles(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const source of sources) {
    const path = join(siteRoot, source);
    const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined);
    if (!entries) found.push(path);
    else for (const entry of entries) if (entry.isFile()) found.push(join(entry.parentPath, entry.name));
  }
  return found.filter((file) => !file.endsWith('.test.ts')).sort();
}

async function versionOf(name: string): Promise<string> {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const text = await readFile(join(folder, name, 'package.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) return String((JSON.parse(text) as { version?: string }).version);
  }
  return 'none';
}

async function build(): Promise<void> {
  const vite = await viteBin();
  if (vite === undefined)
    throw new Error(
      'The page is not built, and vite is not installed: run npm ci (with development packages).',
    );
  const child = spawn(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
    cwd: siteRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', NODE_ENV: 'production' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-8_000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0 || !existsSync(handlerFile))
    throw new Error(`The page could not be built (vite ended with ${code}):\n${output}`);
}

async function viteBin(): Promise<string | undefined> {
  for (const folder of createRequire(import.meta.url).resolve.paths('vite') ?? []) {
    const file = join(folder, 'vite', 'bin', 'vite.js');
    if (existsSync(file)) return file;
  }
  return undefined;
}

/** A lock file with the holder's process id; one whose holder is gone is taken over. */
async function takeLock(): Promise<void> {
  await mkdir(dirname(lockFile), { recursive: true });
  const until = Date.now() + WAIT_MS;
  for (;;) {
    try {
      await using handle = await open(lockFile, 'wx');
      await handle.writeFile(String(process.pid));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(lockFile, 'utf8').catch(() => ''));
    if (holder > 0 && !isAlive(holder)) await rm(lockFile, { force: true });
    else if (Date.now() > until)
      throw new Error(
        `Another process (${holder}) has been building the page for too long; remove ${lockFile}.`,
      );
    else await sleep(100);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
