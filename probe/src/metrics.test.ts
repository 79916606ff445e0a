import type { Observation } from '@highwater/config/domain.ts';
import { expect, it } from 'vitest';
import { makeMetrics } from './metrics.ts';

const phases = { resolve: 10, connect: 20, tls: 0, firstByte: 30, transfer: 40 };
const good: Observation = {
  monitor: 'rpc/main/http',
  dueAt: 1_795_000_000_000,
  outcome: 'ok',
  latencyTenths: 100,
  phases,
  facts: { sc: '200' },
  lateMs: 5,
  recheck: false,
};

async function valueOf(text: Promise<string>, name: string): Promise<string | undefined> {
  const line = (await text).split('\n').find((each) => each.startsWith(name));
  return line?.slice(line.lastIndexOf(' ') + 1);
}

it('tells the newest of each, whatever came between two readings', async () => {
  const metrics = makeMetrics();
  metrics.assigned('eu');
  metrics.observed(good);
  metrics.observed({ ...good, outcome: 'fail', latencyTenths: 200, facts: { sc: '503' } });
  // No answer: the status stays that of the newest answer.
  const { phases: _, ...timeout } = { ...good, outcome: 'fail' as const, latencyTenths: 50_000, facts: {} };
  metrics.observed(timeout);
  metrics.observed({ ...timeout, outcome: 'skipped', latencyTenths: 0, lateMs: 7_000 });
  const labels = 'service="rpc",node="main",check="http",region="eu"';
  expect(await valueOf(metrics.text(), `probe_http_status_code{${labels}}`)).toBe('503');
  expect(await valueOf(metrics.text(), `probe_success{${labels}}`)).toBe('0');
  expect(await valueOf(metrics.text(), `probe_duration_seconds{${labels}}`)).toBe('5');
  expect(await valueOf(metrics.text(), `highwater_check_lateness_seconds{${labels}}`)).toBe('7');
  expect(await valueOf(metrics.text(), `probe_dns_lookup_time_seconds{${labels}}`)).toBe('0.001');
  expect(await valueOf(metrics.text(), 'highwater_checks_total{outcome="fail",region="eu"}')).toBe('2');
});

it('forgets what is no longer assigned, also while it is being read', async () => {
  const metrics = makeMetrics();
  metrics.assigned('eu');
  const many = Array.from({ length: 1_000 }, (_, n) => ({ ...good, monitor: `rpc/n${n}/http` }));
  for (const each of many) metrics.observed(each);
  const reading = metrics.text();
  metrics.assigned('us');
  expect(await reading).not.toContain('probe_success{');
  metrics.observed(good);
  const text = await metrics.text();
  expect(text.match(/^probe_success\{.*/gm)).toEqual([
    'probe_success{service="rpc",node="main",check="http",region="us"} 1',
  ]);
  expect(text).toContain('highwater_checks_total{outcome="ok",region="eu"} 1000');
});
