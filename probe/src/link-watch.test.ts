import { pino } from 'pino';
import { beforeEach, expect, it } from 'vitest';
import type { CollectorLink, Reply } from './collector-link.ts';
import { watchLink } from './link-watch.ts';

const answer: Reply = { status: 503, text: '', headers: {}, roundTripMs: 1 };
let away: Error | undefined;
let ms = 0;
let said: Record<string, unknown>[] = [];
let link: CollectorLink;

beforeEach(() => {
  away = undefined;
  ms = 0;
  said = [];
  const answered = () => (away ? Promise.reject(away) : Promise.resolve(answer));
  const log = pino(
    { level: 'info', base: null, timestamp: false, formatters: { level: (level) => ({ level }) } },
    { write: (text: string) => void said.push(JSON.parse(text) as Record<string, unknown>) },
  );
  link = watchLink(
    { post: answered, get: answered, close: () => Promise.resolve() },
    'https://me:secret@collector.example.com/hw?token=x',
    log,
    () => ms,
  );
});

const post = () => link.post('/v1/frames', 'text/plain', '').catch(() => undefined);
const get = (signal = new AbortController().signal) =>
  link.get('/v1/assignments', {}, 1_000, signal).catch(() => undefined);

it('warns once after three tries, whoever tried, and says when it is back', async () => {
  away = new Error('connect ECONNREFUSED 192.0.2.1:443');
  await post();
  await get();
  expect(said).toEqual([]);
  await post();
  for (let n = 0; n < 20; n += 1) await get();
  expect(said).toMatchObject([
    {
      level: 'warn',
      msg: 'collector.unreachable',
      url: 'https://collector.example.com/hw',
      because: 'connect ECONNREFUSED 192.0.2.1:443',
      tries: 3,
    },
  ]);
  expect(JSON.stringify(said)).not.toMatch(/secret|token/);
  away = undefined;
  ms = 65_000;
  await post();
  await get();
  expect(said.slice(1)).toMatchObject([{ level: 'info', msg: 'collector.reached-again', awayS: 65 }]);
});

it('warns at the first try that ends ten seconds after the start', async () => {
  away = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
  ms = 10_000;
  await post();
  expect(said).toMatchObject([{ msg: 'collector.unreachable', because: 'ECONNREFUSED' }]);
});

it('later, ten seconds after the first miss', async () => {
  await post();
  away = new Error('reset');
  ms = 60_000;
  await get();
  ms = 69_999;
  expect(said).toEqual([]);
  ms = 70_000;
  await get();
  expect(said).toMatchObject([{ msg: 'collector.unreachable', tries: 2 }]);
});

it('says nothing of a few misses, or of an asker that stops', async () => {
  for (let n = 0; n < 5; n += 1) {
    away = new Error('reset');
    await post();
    await post();
    away = undefined;
    await post();
  }
  away = new Error('aborted');
  for (let n = 0; n < 5; n += 1) await get(AbortSignal.abort());
  expect(said).toEqual([]);
});
