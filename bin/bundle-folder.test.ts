import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bundleFolder } from './bundle-folder.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'highwater-folder-'))));
afterEach(() => rmSync(folder, { recursive: true }));

it.each<[string[], string | undefined]>([
  [['range'], ''],
  [['2026-10/range'], '2026-10'],
  // One that lacks its first file is one that lacks something, not something else.
  [['keys', 'policy', 'logs/2026/end.checkpoint'], ''],
  [['2026-10/report.json', '2026-10/report.note'], '2026-10'],
  [[], undefined],
  [['policy', 'README.md', 'report.csv'], undefined],
  [['logs/today', 'README.md'], undefined],
  [['2026-09/range', '2026-10/range'], undefined],
  [['one/two/range'], undefined],
])('takes %o for %o', async (files, found) => {
  for (const name of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), '');
  }
  expect(await bundleFolder(folder)).toBe(found === undefined ? undefined : join(folder, found));
});
