/**
 * recount.mjs, which shares no code with the engine, comes to the report's integers; each that is altered it finds. And the
 * rule as one fold, which the vectors are about, comes to the same.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallBundle } from '@highwater/config/bundle/testing/small.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { evaluate } from '@highwater/config/proof/rule/evaluate.ts';
import { formatReport, parseReport, type Report } from '@highwater/config/report/report.ts';
import { openArchiveWriter } from '../../collector/src/reports/archive-writer.ts';
import { packFolder } from '../fixtures/month/archive.ts';
import { generateMonth } from '../fixtures/month/generate.ts';
import { reportMonth, reportedFiles } from '../fixtures/month/report.ts';

const script = fileURLToPath(new URL('recount.mjs', import.meta.url));
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'highwater-recount-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function recount(archive: string, ...flags: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, archive, ...flags],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, said) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, said });
      },
    );
  });
}

async function pack(files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const path = join(folder, 'bundle.tar.gz');
  const writer = await openArchiveWriter(path, { folder: '2026-10', at: 0 });
  for (const [name, bytes] of files) await writer.add(name, bytes);
  await writer.finish();
  return path;
}

describe('recount.mjs', () => {
  it.each([{ minutes: 240 }, { isTwoLogs: true }])(
    'comes to what the report says, and to the rule’s own fold: %o',
    async (options) => {
      const small = smallBundle(options);
      const archive = await pack(await reportedFiles(small.assembly));
      const { code, said } = await recount(archive, '--json');
      expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('all agree') as string });
      const told = JSON.parse(said.split('\n')[0] ?? '') as {
        totals: Record<string, unknown>;
      };
      const { services, nodes, monitors, regions } = evaluate(small.evidence, small.range, sha256);
      for (const [region, planes] of [['', { services, nodes, monitors }] as const, ...regions]) {
        for (const plane of [planes.services, planes.nodes, planes.monitors]) {
          for (const [subject, { totals }] of plane) {
            if (subject.startsWith('inner')) continue;
            expect([subject, region, told.totals[region === '' ? subject : `${subject} ${region}`]]).toEqual([
              subject,
              region,
              totals,
            ]);
          }
        }
      }
    },
  );

  it('finds a figure that is another, and a body that is', async () => {
    const files = await reportedFiles(smallBundle({ minutes: 120 }).assembly);
    const report = parseReport(Buffer.from(files.get('report.json') ?? []).toString()) as Report;
    const [service] = report.counted.services;
    const totals = service?.subjects[3]?.totals;
    if (totals === undefined) throw new Error('the report has too few subjects');
    totals.up += 1;
    const raised = await pack(new Map(files).set('report.json', Buffer.from(formatReport(report))));
    expect(await recount(raised)).toMatchObject({
      code: 1,
      said: expect.stringContaining('.up: ') as string,
    });
    const name = [...files.keys()].find((own) => own.startsWith('bodies/')) ?? '';
    const bytes = Uint8Array.from(files.get(name) ?? []);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    const other = await recount(await pack(new Map(files).set(name, bytes)));
    expect(other).toMatchObject({ code: 2, said: expect.stringContaining(name) as string });
  });

  it('comes to what the report of a generated day says', async () => {
    const day = join(folder, 'day');
    const generated = generateMonth(day, { days: 1, monitors: 8 });
    const names = await reportMonth(day, generated);
    const archive = join(folder, 'day.tar.gz');
    await packFolder(day, names, archive, generated.month);
    expect(await recount(archive)).toMatchObject({
      code: 0,
      said: expect.stringContaining('all agree') as string,
    });
  });
});
