import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testHouse, type TestHouse } from '../testing/config.ts';
import { dropDataDir, eventually, newDataDir, openHouse, type House } from '../testing/house.ts';
import { player } from '../testing/player.ts';

const promtool = spawnSync('promtool', ['--version']);
const missing = promtool.error !== undefined;
if (missing && process.env['CI'] === 'true')
  throw new Error('promtool is not installed (Debian: prometheus)');

let dataDir: string;
let house: House;
let watchedHouse: TestHouse;
beforeEach(async () => {
  dataDir = newDataDir();
  watchedHouse = testHouse();
  const { config } = watchedHouse;
  const methods = [{ method: 'eth_blockNumber' }, { method: 'eth_call' }];
  const monitors = config.monitors.map((m) => (m.kind === 'jsonrpc' ? { ...m, settings: { methods } } : m));
  house = await openHouse({ ...config, monitors }, dataDir);
}, 30_000);
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

/** A frame of the probe in eu, taken in and judged. */
async function said(): Promise<string> {
  const at = Date.now();
  const lines = [
    `rpc/a/head ${at} ok 150 - ack=30 age=1500 fh=990 first=25 g=aaaaaaaa gap=2 h=1000 lost=0 peers=12`,
    `rpc/a/jsonrpc ${at} degraded 4000 target.rpc.slow m.eth_blockNumber=1234 m.eth_call=target.rpc.error m.eth_undeclared=1`,
    `web/main/http ${at} ok 400 - ce=1800000000500 p=10,20,30,240,100 sc=200`,
  ];
  const answer = await house.post(
    '/v1/frames',
    player(watchedHouse.config.origin, watchedHouse.keys.eu).frame(lines),
  );
  expect(answer.status).toBe(200);
  return eventually(async () => {
    const text = await (await house.get('/metrics')).text();
    return text.includes('probe_success{') && text;
  });
}

describe('metrics', () => {
  it.skipIf(missing)('are found good by promtool check metrics', async () => {
    await said();
    const input = await (await house.get('/metrics')).text();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input });
    expect({ status, output: `${stdout.toString()}${stderr.toString()}` }).toEqual({ status: 0, output: '' });
  });

  it('have the names that dashboards build on', async () => {
    const text = await (await house.get('/metrics')).text();
    for (const name of [
      'highwater_verdict{service="web",node="main",check="http",status="unknown"} 1',
      'highwater_ingest_observations_total{probe="eu-1"} 0',
      'highwater_look_requests_total{probe="eu-1"} 0',
      'highwater_look_requests_dropped_total{because="budget"} 0',
      'highwater_outbox_pending 0',
      'highwater_log_size 4',
    ]) {
      expect(text).toContain(name);
    }
  });

  it('tell what the newest lines say', async () => {
    const text = await said();
    const asked = (id: string): string => {
      const [service, node, check] = id.split('/');
      return `service="${service}",node="${node}",check="${check}",region="eu"`;
    };
    for (const line of [
      `probe_success{${asked('web/main/http')}} 1`,
      `probe_duration_seconds{${asked('web/main/http')}} 0.04`,
      `probe_http_duration_seconds{${asked('web/main/http')},phase="resolve"} 0.001`,
      `probe_http_duration_seconds{${asked('web/main/http')},phase="processing"} 0.024`,
      `probe_http_status_code{${asked('web/main/http')}} 200`,
      `probe_ssl_earliest_cert_expiry{${asked('web/main/http')}} 1800000000.5`,
      `probe_dns_lookup_time_seconds{${asked('web/main/http')}} 0.001`,
      `highwater_rpc_duration_seconds{${asked('rpc/a/jsonrpc')},method="eth_blockNumber"} 0.1234`,
      `highwater_rpc_calls_total{${asked('rpc/a/jsonrpc')},method="eth_blockNumber",outcome="ok"} 1`,
      `highwater_rpc_calls_total{${asked('rpc/a/jsonrpc')},method="eth_blockNumber",outcome="fault"} 0`,
      `highwater_rpc_calls_total{${asked('rpc/a/jsonrpc')},method="eth_call",outcome="ok"} 0`,
      `highwater_rpc_calls_total{${asked('rpc/a/jsonrpc')},method="eth_call",outcome="fault"} 1`,
      `highwater_rpc_faults_total{${asked('rpc/a/jsonrpc')},method="eth_call",fault="target.rpc.error"} 1`,
      `highwater_peers{${asked('rpc/a/head')}} 12`,
      `highwater_head_finalized_height{${asked('rpc/a/head')}} 990`,
      `highwater_socket_ack_seconds{${asked('rpc/a/head')}} 0.003`,
      `highwater_socket_first_head_seconds{${asked('rpc/a/head')}} 0.0025`,
      `highwater_socket_last_head_age_seconds{${asked('rpc/a/head')}} 1.5`,
      `highwater_socket_events_total{${asked('rpc/a/head')},event="missing"} 2`,
      `highwater_socket_events_total{${asked('rpc/a/head')},event="lost"} 0`,
      'highwater_ingest_observations_total{probe="eu-1"} 3',
      'highwater_head_height{chain="devnet"} 1000',
      'highwater_head_lag_blocks{service="rpc",node="a"} 0',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(text).toContain('highwater_head_age_seconds{chain="devnet"} ');
    // It gave a fault in place of a time.
    expect(text).not.toMatch(/rpc_duration_seconds.*eth_call/);
    // A probe may say what it likes: only what is configured has figures.
    expect(text).not.toContain('eth_undeclared');
  });
});
