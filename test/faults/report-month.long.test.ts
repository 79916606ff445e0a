/**
 * A whole month (100 monitors, 5 probes, 30 s) in which something is another than it was: ten times, each through the real
 * command. What no other service has to do with is looked for by a check of one service, which reads the whole log too.
 * HIGHWATER_MONTH names a folder with a month's bundle that is there already; HIGHWATER_MONTH_DAYS makes a shorter one;
 * HIGHWATER_SEED sets which bytes.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportFiles } from '@highwater/config/bundle/testing/assemble.ts';
import { names } from '@highwater/config/bundle/files.ts';
import { type Report, parseReport } from '@highwater/config/report/report.ts';
import { monthKeys } from '../fixtures/month/config.ts';
import { generateMonth } from '../fixtures/month/generate.ts';
import { documentsOf, reportMonth } from '../fixtures/month/report.ts';
import { randomFrom } from './random.ts';

const seed = Number(process.env['HIGHWATER_SEED'] ?? Date.now() % 1_000_000_000);
const given = process.env['HIGHWATER_MONTH'];
const days = Number(process.env['HIGHWATER_MONTH_DAYS'] ?? 31);
const LONG_MS = 3_600_000;
const launcher = fileURLToPath(new URL('../../bin/highwater', import.meta.url));
const folder = given ?? mkdtempSync(join(tmpdir(), 'highwater-month-'));
const random = randomFrom(seed);

interface Told {
  readonly verdict: string;
  readonly problems: readonly { readonly kind: string; readonly file: string; readonly says: string }[];
}

beforeAll(async () => {
  if (given === undefined) await reportMonth(folder, generateMonth(folder, { days }));
}, LONG_MS);
afterAll(() => {
  if (given === undefined) rmSync(folder, { recursive: true, force: true });
});

function verify(...flags: string[]): Promise<{ code: number | null; told: Told }> {
  return new Promise((resolve, reject) => {
    const child = spawn(launcher, ['verify', folder, '--json', ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (text) => (said += String(text)));
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, told: JSON.parse(said) as Told });
    });
  });
}

/** Files with other content, or none. */
type Changes = ReadonlyMap<string, Uint8Array | undefined>;

/** What the command says of the month with these files; it is as before then. */
async function verifyWith(changes: Changes, ...flags: string[]): ReturnType<typeof verify> {
  const before = new Map([...changes.keys()].map((name) => [name, contentOf(name)]));
  try {
    for (const [name, bytes] of changes) {
      if (bytes === undefined) rmSync(join(folder, name));
      else writeFileSync(join(folder, name), bytes);
    }
    return await verify(...flags);
  } finally {
    for (const [name, bytes] of before) writeFileSync(join(folder, name), bytes);
  }
}

function contentOf(name: string): Uint8Array {
  return readFileSync(join(folder, name));
}

function anyOf<T>(all: readonly T[]): T {
  const one = all[Math.floor(random() * all.length)];
  if (one === undefined) throw new Error('nothing to choose from');
  return one;
}

/** All under a folder of the bundle. */
function under(path: string): string[] {
  const entries = readdirSync(join(folder, path), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function changedByte(name: string): Changes {
  const bytes = Uint8Array.from(contentOf(name));
  const at = Math.floor(random() * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(random() * 255));
  return new Map([[name, bytes]]);
}

function swapped(first: string, second: string): Changes {
  return new Map([
    [first, contentOf(second)],
    [second, contentOf(first)],
  ]);
}

/** A figure is raised, and what is made of it is made and signed by the operator. */
function raised(service: string): Changes {
  const report = parseReport(readFileSync(join(folder, names.report), 'utf8')) as Report;
  const totals = report.counted.services.find(({ id }) => id === service)?.subjects[0]?.totals;
  if (totals === undefined) throw new Error(`the report has no ${service}`);
  totals.up += 1;
  const proof = readFileSync(join(folder, names.proof), 'utf8');
  const consistency = readFileSync(join(folder, names.continues), 'utf8');
  const prove = () => ({ proof, consistency });
  return new Map(reportFiles(report, documentsOf(report), monthKeys.operator, prove));
}

const entries = () => under('logs').filter((name) => name.includes('/entries/'));
const bodies = (service: string) => under('bodies').filter((name) => name.split('/')[2] === service);

describe(`a month in which something was altered, seed ${seed}`, () => {
  it('is good before', { timeout: LONG_MS }, async () => {
    const { code, told } = await verify();
    expect(told.problems).toEqual([]);
    expect(code).toBe(0);
  });

  it.each<[what: string, service: string, () => Changes]>([
    ['a byte of the entries', 's05', () => changedByte(anyOf(entries()))],
    ['a byte of the bodies', 's07', () => changedByte(anyOf(bodies('s07')))],
    ['a byte of the bodies of a chain’s node', 's01', () => changedByte(anyOf(bodies('s01')))],
    ['a byte of an earlier leaf', 's05', () => changedByte(anyOf(under('leaves')))],
    ['a byte of the log’s signed end', 's05', () => changedByte(names.end(2026))],
    ['a byte of a configuration', 's05', () => changedByte(anyOf(under('configs')))],
    ['a byte of the report', 's05', () => changedByte(names.report)],
    ['a day’s bodies left out', 's09', () => new Map([[anyOf(bodies('s09')), undefined]])],
    ['two files of entries swapped', 's05', () => swapped(entries()[3] ?? '', entries()[4] ?? '')],
    ['a figure raised, and signed', 's11', () => raised('s11')],
  ])('%s is found', { timeout: LONG_MS }, async (_, service, change) => {
    const changes = change();
    const { code, told } = await verifyWith(changes, '--monitor', service);
    const files = told.problems.map(({ file }) => file);
    expect(
      // Entries in another order are as good as they were, and have another root than the one that was signed.
      files.some((file) => changes.has(file) || file === names.end(2026)),
      JSON.stringify({ changed: [...changes.keys()], files }),
    ).toBe(true);
    expect(told.problems.every(({ says }) => says !== '')).toBe(true);
    expect([1, 2]).toContain(code);
  });
});
