/** A real process, killed between an attempt and its result: nothing lost, one duplicate a kill at most. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDiscord } from '../../test/fixtures/discord.ts';
import { incidentOf, resolvedOf, startFeed } from '../../test/fixtures/feed.ts';
import { startSmtp } from '../../test/fixtures/smtp.ts';

async function until(what: string, isSo: () => boolean, withinMs = 15_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function world() {
  await using stack = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'highwater-alerts-'));
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const discord = stack.use(await startDiscord());
  const smtp = stack.use(await startSmtp());
  const feed = stack.use(await startFeed());
  const config = {
    site: { name: 'Example Nodes', url: 'https://status.example.com' },
    services: [{ id: 'rpc', name: 'Dev RPC' }],
    regions: [{ id: 'eu', name: 'eu' }],
    probes: [],
    alerts: {
      channels: [
        { id: 'ops', kind: 'discord', settings: { webhook: 'env:HOOK' } },
        {
          id: 'mail',
          kind: 'email',
          settings: { smtp: 'env:SMTP', from: 's@example.com', to: ['o@example.com'] },
        },
      ],
      policies: [{ match: {}, steps: [{ afterMs: 0, notify: ['ops', 'mail'] }] }],
    },
  };
  const env = {
    ...process.env,
    HOOK: discord.webhookUrl,
    SMTP: smtp.url,
    TEST_CONFIG: JSON.stringify(config),
    TEST_DATA: dataDir,
    TEST_COLLECTOR: feed.url,
  };
  let output = '';
  let child: ChildProcess | undefined;
  const script = join(import.meta.dirname, '../../test/fixtures/alerts-process.ts');
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    let ready = false;
    const listen = (data: Buffer) => {
      output += data.toString();
      if (data.toString().includes('"url"')) ready = true;
    };
    started.stdout.on('data', listen);
    started.stderr.on('data', listen);
    await until('the process is ready', () => {
      if (started.exitCode !== null) throw new Error(`it ended: ${output.slice(-2_000)}`);
      return ready;
    });
    return started;
  };
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    const victim = child;
    child = undefined;
    if (!victim || victim.exitCode !== null || victim.signalCode !== null) return;
    const ended = once(victim, 'exit');
    victim.kill(signal);
    await ended;
  };
  const kept = stack.move();
  return {
    discord, smtp, feed, start, kill,
    output: () => output,
    async [Symbol.asyncDispose]() {
      await kill();
      await kept.disposeAsync();
    },
  }; // prettier-ignore
}

it('killed between attempt and result: delivered, with one duplicate a kill at most', async () => {
  await using w = await world();
  const kills = 3;
  // Done at the far side, never answered: the worst moment there is.
  for (let index = 0; index < kills; index += 1) w.discord.fail({ kind: 'mute' });
  await w.start();
  await until('it follows the feed', () => w.output().includes('feed.began'));
  w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
  for (let index = 1; index <= kills; index += 1) {
    await until(`message ${index} reached the far side`, () => w.discord.messages.length === index);
    await w.kill();
    await w.start();
  }
  await until(
    'it is delivered',
    () => w.output().includes('"alert.delivered"') && w.discord.messages.length > kills,
  );
  w.feed.push({ type: 'incident.resolved', incident: resolvedOf(incidentOf('inc-1')) });
  await until('recovery', () => w.discord.messages.at(-1)?.embeds[0]?.title === 'Resolved: Dev RPC is down');
  const opened = w.discord.messages.filter(({ embeds }) => embeds[0]?.title === 'Dev RPC is down');
  expect(opened).toHaveLength(kills + 1);
  // Later states go to the one whose receipt was kept: the last.
  expect(w.discord.edits.at(-1)?.id).toBe(opened.at(-1)?.id);
  await until('mail', () => w.smtp.mails.length >= 2);
  const ids = new Set(w.smtp.mails.map(({ headers }) => headers.get('message-id')));
  expect(ids.size).toBe(2);
}, 60_000);

it('killed at random while incidents come: each is told, with as many duplicates as kills at most', async () => {
  await using w = await world();
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
  console.log(`seed ${seed} (TEST_SEED)`);
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  await w.start();
  await until('it follows the feed', () => w.output().includes('feed.began'));
  const kills = 5;
  const incidents = 20;
  for (let index = 0; index < incidents; index += 1) {
    const incident = incidentOf(`inc-${index}`, { title: `Number ${index} is down` });
    w.feed.push({ type: 'incident.opened', incident });
    if (index % (incidents / kills) === 1) {
      const reached = w.smtp.mails.length + Math.floor(random() * 3);
      await until('some reached the far side', () => w.smtp.mails.length >= Math.min(reached, index));
      await w.kill();
      await w.start();
    }
  }
  const told = (subjects: readonly string[]) =>
    new Set(subjects.filter((text) => text.includes('Number'))).size;
  const titles = () => w.discord.messages.map(({ embeds }) => embeds[0]?.title ?? '');
  await until(
    'all are told by mail',
    () => told(w.smtp.mails.map(({ subject }) => subject)) === incidents,
    30_000,
  );
  await until('all are told on Discord', () => told(titles()) === incidents, 30_000);
  await w.kill('SIGTERM');
  expect(w.smtp.mails.length).toBeLessThanOrEqual(incidents + kills);
  expect(w.discord.messages.length).toBeLessThanOrEqual(incidents + kills);
}, 90_000);
