/**
 * npm run bench -- NAME… [--json] [--case NAME]
 * Each figure is a ratio against a peer or a raw limit taken in the same run, interleaved; the median is told.
 */
import { parseArgs } from 'node:util';
import type { Bench, Figure } from './bench.ts';

/** Loaded when asked for, so that one bench does not pay for another's imports. */
const benches: Readonly<Record<string, () => Promise<{ bench: Bench }>>> = {
  checks: () => import('./checks.ts'),
  ingest: () => import('./ingest.ts'),
  page: () => import('./page.ts'),
  report: () => import('./report.ts'),
  schedule: () => import('./schedule.ts'),
  'storage-hot': () => import('./storage-hot.ts'),
  storage: () => import('./storage.ts'),
};

const notYet = ['failover', 'alerts'];

function show(figure: Figure): string {
  const value = `${figure.value} ${figure.unit}`;
  return `${figure.bench} ${figure.case}: ${value}, ${figure.ratio} of ${figure.against} (median of ${figure.runs})`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, case: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
const names = positionals.length > 0 ? positionals : Object.keys(benches);
const unknown = names.filter((name) => !(name in benches));
if (values.help || unknown.length > 0) {
  for (const name of unknown) {
    process.stderr.write(
      notYet.includes(name) ? `${name}: not in this version\n` : `${name}: no such bench\n`,
    );
  }
  process.stderr.write(
    `usage: npm run bench -- [${Object.keys(benches).join('|')}…] [--case NAME] [--json]\n`,
  );
  process.exitCode = values.help ? 0 : 2;
} else {
  for (const name of names) {
    const { bench } = (await benches[name]?.()) ?? { bench: undefined };
    for await (const figure of bench?.(values.case) ?? []) {
      process.stdout.write(`${values.json ? JSON.stringify(figure) : show(figure)}\n`);
    }
  }
}
