import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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

const lockText = (pid = process.pid, folder = dir): string => {
  const { dev, ino } = statSync(folder, { bigint: true });
  return `${pid}\nfolder ${dev}:${ino}\n`;
};

it('holds this process while it lasts, and leaves nothing', () => {
  {
    using _lock = lockDataFolder(dir);
    expect(readFileSync(join(dir, 'up.pid'), 'utf8')).toBe(lockText());
    expect(readdirSync(dir)).toEqual(['up.pid']);
  }
  expect(readdirSync(dir)).toEqual([]);
});

it('refuses while its process lives, and names it', () => {
  writeFileSync(join(dir, 'up.pid'), `${process.ppid}\n`);
  expect(() => lockDataFolder(dir)).toThrow(`is in use by process ${process.ppid}; stop that one`);
  expect(readdirSync(dir)).toEqual(['up.pid']);
});

it('refuses in a folder that was moved, and not in a copy of it, which it says', () => {
  writeFileSync(join(dir, 'up.pid'), lockText(process.ppid));
  const copy = `${dir}-copy`;
  cpSync(dir, copy, { recursive: true });
  const said: string[] = [];
  {
    using _lock = lockDataFolder(copy, (text) => said.push(text));
    expect(readFileSync(join(copy, 'up.pid'), 'utf8')).toBe(lockText(process.pid, copy));
  }
  expect(said).toEqual([expect.stringMatching(/-copy is a copy: .* Process \d+ may still run on that one/)]);
  const moved = `${dir}-moved`;
  renameSync(dir, moved);
  expect(() => lockDataFolder(moved)).toThrow(`is in use by process ${process.ppid}`);
});

it('ends where no folder can be made', () => {
  expect(() => lockDataFolder('/proc/highwater/data')).toThrow('ENOENT');
});

it.each(['999999999\n', '', 'garbage'])('takes over what no living process holds: %j', (text) => {
  writeFileSync(join(dir, 'up.pid'), text);
  using _lock = lockDataFolder(dir);
  expect(readFileSync(join(dir, 'up.pid'), 'utf8')).toBe(lockText());
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
