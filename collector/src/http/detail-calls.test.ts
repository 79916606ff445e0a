import { publicServiceDetail, uptimeAnswer } from '@highwater/config/public-detail.ts';
import { publicSnapshot } from '@highwater/config/public.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir, openHouse, type House } from '../testing/house.ts';

let dataDir: string;
let house: House;
/** It stands still, so that nothing closes a minute between two calls. */
const now = Date.UTC(2026, 10, 21, 6, 14, 3);
beforeAll(async () => {
  dataDir = newDataDir();
  const { config } = testHouse();
  const services = config.services.map((each) => ({ ...each, objectiveMillionths: 999_500 }));
  house = await openHouse({ ...config, services }, dataDir, {
    now: () => now,
    monotonic: () => performance.now(),
  });
}, 30_000);
afterAll(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

describe('/v1/services/ID', () => {
  it('is the detail of a public service, and 304 to who has it', async () => {
    const answer = await house.get('/v1/services/rpc');
    const detail = publicServiceDetail.parse(await answer.json());
    expect(detail).toMatchObject({ service: 'rpc', generatedAt: now, startedAt: now });
    expect(detail.numbers.subjects.map(({ subject }) => subject)).toContain('rpc/a/head');
    const etag = answer.headers.get('etag') ?? '';
    const again = await house.get('/v1/services/rpc', { 'if-none-match': etag });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const other = await house.get('/v1/services/web', { 'if-none-match': etag });
    expect(other.status).toBe(200);
  });

  it('of a private service is what it is of one that there is not', async () => {
    const told = async (id: string) => {
      const answer = await house.get(`/v1/services/${id}`);
      return [answer.status, (await answer.text()).replaceAll(id, 'ID'), answer.headers.get('etag')];
    };
    const [hidden, nobody] = [await told('hidden'), await told('nobody')];
    expect(hidden).toEqual(nobody);
    expect(hidden[0]).toBe(404);
    expect((await told('chain.devnet'))[0]).toBe(404);
  });
});

it('the snapshot has the budget of the detail, without how fast it goes', async () => {
  const { services } = publicSnapshot.parse(await house.json('/v1/snapshot'));
  const detail = publicServiceDetail.parse(await house.json('/v1/services/rpc'));
  const { burn, ...budget } = detail.numbers.budget ?? {};
  expect(burn).toHaveLength(4);
  expect(services.map(({ id }) => id)).toEqual(['rpc', 'web']);
  expect(services[0]).toMatchObject({ objectiveRatio: 0.9995, budget });
  expect(budget).toMatchObject({ objective: '99.95 %', period: '30d' });
});

describe('/v1/uptime', () => {
  it.each([
    ['subject=rpc', '30d'],
    ['subject=rpc/a&period=24h', '24h'],
    ['subject=rpc/a/head&period=2026-02&region=eu', '2026-02'],
    ['subject=rpc&from=2026-02-28&to=2026-03-01', undefined],
    ['subject=rpc&from=2025-10-19&to=2026-11-22', undefined],
    ['subject=rpc&period=2026-11', '2026-11'],
    ['subject=rpc&from=2026-11-21&to=2026-11-30', undefined],
    // Who may read sees what is private too, as by /v1/why.
    ['subject=hidden/canary-node', '30d'],
  ])('?%s is answered', async (query, period) => {
    const answer = uptimeAnswer.parse(await house.json(`/v1/uptime?${query}`));
    expect(answer.period).toBe(period);
    expect(answer.lastMinute).toBeGreaterThan(answer.firstMinute);
  });

  it.each([
    ['', 400, 'subject is missing'],
    ['subject=rpc&period=31d', 400, 'not a period'],
    ['subject=rpc&period=2026-13', 400, 'not a period'],
    ['subject=rpc&period=1969-12', 400, 'not a period'],
    ['subject=rpc&period=', 400, 'not a period'],
    ['subject=rpc&from=2026-10-01', 400, 'to is missing'],
    ['subject=rpc&to=2026-10-01', 400, 'from is missing'],
    ['subject=rpc&from=2026-02-29&to=2026-03-01', 400, 'from=2026-02-29 is not a day'],
    ['subject=rpc&from=2026-10-02&to=2026-10-01', 400, 'to lies before from'],
    ['subject=rpc&from=2025-10-18&to=2026-11-22', 400, '401 days are too many'],
    ['subject=rpc&from=1970-01-01&to=9999-12-31', 400, 'days are too many'],
    ['subject=rpc&from=2026-10-01&to=2026-10-02&period=7d', 400, 'both a period and days'],
    ['subject=rpc&period=2099-01', 400, 'period=2099-01 lies in the future'],
    ['subject=rpc&period=2026-12', 400, 'period=2026-12 lies in the future'],
    ['subject=rpc&from=2026-11-22&to=2026-11-23', 400, 'from=2026-11-22 lies in the future'],
    ['subject=rpc&region=mars', 400, 'there is no region mars'],
    ['subject=nobody', 404, 'there is no subject nobody'],
    ['subject=rpc/a/none', 404, 'there is no subject'],
  ])('?%s is refused with %i: %s', async (query, status, says) => {
    const answer = await house.get(`/v1/uptime?${query}`);
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([
      status,
      expect.stringContaining(says),
    ]);
  });
});
