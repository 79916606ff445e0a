import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { lockDataFolder } from './lock.ts';

const root = mkdtempSync(join(tmpdir(), 'highwater-lock-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(root, 'data-'));
});

it('holds this process while it lasts, and leaves nothing', () => {
  {
    using _lock = lockDataFolder(dir);
    expect(readFileSync(join(dir, 'up.pid'), 'utf8')).toBe(`${process.pid}\n`);
    expect(readdirSync(dir)).toEqual(['up.pid']);
  }
  expect(readdirSync(dir)).toEqual([]);
});

it('refuses while its process lives, and names it', () => {
  writeFileSync(join(dir, 'up.pid'), `${process.ppid}\n`);
  expect(() => lockDataFolder(dir)).toThrow(`is in use by process ${process.ppid}; stop that one`);
  expect(readdirSync(dir)).toEqual(['up.pid']);
});

it.each(['999999999\n', '', 'garbage'])('takes over what no living process holds: %j', (text) => {
  writeFileSync(join(dir, 'up.pid'), text);
  using _lock = lockDataFolder(dir);
  expect(readFileSync(join(dir, 'up.pid'), 'utf8')).toBe(`${process.pid}\n`);
});

it('of starters at the same time one gets it', async () => {
  writeFileSync(join(dir, 'up.pid'), '999999999\n');
  const script = join(root, 'starter.mjs');
  writeFileSync(
    script,
    `import { lockDataFolder } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)};
process.on('message', () => {
  let got = true;
  try { lockDataFolder(${JSON.stringify(dir)}); } catch { got = false; }
  process.send(got);
});
process.send('loaded');
`,
  );
  const starters = Array.from({ length: 6 }, () => fork(script));
  try {
    await Promise.all(starters.map((child) => once(child, 'message')));
    const answers = starters.map(async (child): Promise<unknown> => (await once(child, 'message'))[0]);
    for (const child of starters) child.send('go');
    expect((await Promise.all(answers)).filter((got) => got === true)).toHaveLength(1);
    expect(existsSync(join(dir, 'up.pid'))).toBe(true);
  } finally {
    for (const child of starters) child.kill('SIGKILL');
  }
}, 30_000);
