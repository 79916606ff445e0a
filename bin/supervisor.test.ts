import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Supervisor, defaultLimits, retryDelayMs, type SupervisorEvent } from './supervisor.ts';

it.each([
  [1, 250],
  [2, 500],
  [3, 1_000],
  [7, 16_000],
  [8, 30_000],
  [1_000, 30_000],
])('the start after %i failures waits %i ms', (failures, delayMs) => {
  expect(retryDelayMs(failures)).toBe(delayMs);
});

const dir = mkdtempSync(join(tmpdir(), 'highwater-supervisor-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const program = join(dir, 'role.mjs');
writeFileSync(
  program,
  `import { createServer } from 'node:http';
const server = createServer((_, answer) => { answer.statusCode = 503; answer.end(); });
server.listen(0, '127.0.0.1', () => process.send({ ready: 'http://127.0.0.1:' + server.address().port }));
process.on('disconnect', () => process.exit());
`,
);

const limits = {
  ...defaultLimits,
  firstRetryMs: 10,
  lastRetryMs: 20,
  healthEveryMs: 20,
  healthWithinMs: 400,
  healthFailures: 2,
};

/** A supervisor of one small role, and what it told. */
function supervised() {
  const events: SupervisorEvent[] = [];
  const listeners = new Set<() => void>();
  const supervisor = new Supervisor(
    (event) => {
      events.push(event);
      for (const listener of [...listeners]) listener();
    },
    limits,
    program,
  );
  return {
    supervisor,
    types: () => events.map(({ type }) => type),
    of: <T extends SupervisorEvent['type']>(type: T) =>
      events.filter((event): event is Extract<SupervisorEvent, { type: T }> => event.type === type),
    async told(type: SupervisorEvent['type'], count: number) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => {
        if (events.filter((event) => event.type === type).length >= count) resolve();
      };
      listeners.add(look);
      look();
      await promise;
    },
    [Symbol.asyncDispose]: () => supervisor.drain(),
  };
}

const spec = { name: 'role', args: () => [] };

it('kills a role that no longer answers, and starts it again', async () => {
  await using it = supervised();
  await it.supervisor.start(spec);
  process.kill(it.of('ready')[0]?.pid ?? 0, 'SIGSTOP');
  await it.told('ready', 2);
  expect(it.types()).toEqual(['ready', 'hung', 'ended', 'ready']);
  expect(it.of('ended')[0]?.how).toBe('SIGKILL');
}, 20_000);

it('tries again when no process could be made', async () => {
  await using it = supervised();
  await it.supervisor.start(spec);
  const node = process.execPath;
  try {
    process.execPath = join(dir, 'no-such-node');
    process.kill(it.of('ready')[0]?.pid ?? 0, 'SIGKILL');
    await it.told('ended', 3);
  } finally {
    process.execPath = node;
  }
  await it.told('ready', 2);
  expect(it.of('ended').map(({ how }) => how)).toEqual(
    expect.arrayContaining(['SIGKILL', 'no process: ENOENT']),
  );
}, 20_000);
