/**
 * A data folder that has watched the end of last month: two services with five monitors, three probes of which one is run by
 * somebody else, an outage, maintenance declared in time and too late, a silent probe, another configuration half-way.
 * All of it came through the collector's calls, with a clock of then.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateSigningKey, sha256, type SigningKey } from '@highwater/config/keys.ts';
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import { formatMonth, daysOfMonth } from '@highwater/config/proof/rule/period.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { accepted, assignment, assignmentBody, feedPage, operatorStatus } from '@highwater/config/wire.ts';
import { readConfig } from '../../bin/config-file.ts';
import { type House, openHouse } from '../../collector/src/testing/house.ts';
import { type Player, player } from '../../collector/src/testing/player.ts';
import { until } from './process.ts';

const regions = ['eu', 'us', 'sg'] as const;
type Region = (typeof regions)[number];

const SETTLE_MS = 3_600_000;
export const OTHERS = 'Anna of the community';
/** How much of the month's end is played. */
export const MINUTES = 360;
/** Minutes of it, from its beginning: [first, end). */
export const played = {
  inTime: { first: 60, end: 80 },
  /** The website is away, and only at `declared` somebody says that this is maintenance. */
  tooLate: { first: 140, declared: 145, end: 160 },
  otherConfig: 180,
  outage: { first: 200, end: 212 },
  silent: { first: 240, end: 270, region: 'us' },
  /** One region alone does not see the website: no outage. */
  alone: { first: 300, end: 306, region: 'sg' },
} as const;

export interface Filled {
  readonly configFile: string;
  readonly data: string;
  readonly origin: string;
  /** `2026-10` */
  readonly month: string;
}

/** The newest month that has settled. */
function settledMonth(now: number): { month: string; end: number } {
  const at = new Date(now - SETTLE_MS - MINUTE_MS);
  const index = at.getUTCFullYear() * 12 + at.getUTCMonth() - 1;
  return { month: formatMonth(index), end: (daysOfMonth(index).last + 1) * MINUTES_PER_DAY };
}

function configText(keys: Readonly<Record<Region, SigningKey>>, siteUrl: string, timeout: string): string {
  const probe = (region: Region): string =>
    `  - { id: ${region}-1, region: ${region}, key: "${keys[region].vkey}"${region === 'sg' ? `, operator: ${OTHERS}` : ''} }`;
  return `site: { name: Example Nodes, url: "${siteUrl}" }
log: { origin: status.example.com/log }
operator: Example Ltd
regions: [ { id: eu, name: Frankfurt }, { id: us, name: New York }, { id: sg, name: Singapore } ]
probes:
${regions.map(probe).join('\n')}
chains:
  devnet: { family: evm, chainId: 31337, blockTime: 12s, maxLag: 5, maxAge: 2m }
services:
  - id: rpc
    name: Dev RPC
    chain: devnet
    objective: 99.9%
    nodes:
      - { id: main, zone: home, url: "http://192.0.2.1" }
      - { id: spare, zone: away, url: "http://192.0.2.2" }
    checks:
      - { kind: head, every: 30s, timeout: 5s }
      - { kind: jsonrpc, every: 30s, timeout: ${timeout}, methods: [ { method: eth_blockNumber } ] }
  - id: web
    name: Website
    objective: 99%
    nodes: [ { id: main, zone: home, url: "http://192.0.2.3" } ]
    checks: [ { kind: http, every: 30s, timeout: 5s } ]
alerts:
  channels:
    - { id: mail, kind: email, smtp: env:TEST_SMTP, from: status@example.com, to: [voters@example.com] }
reports: { to: [mail], settle: 1h, anchor: memo of account example-anchor }
`;
}

/** Fills DIR/data; the configuration is DIR/highwater.yaml. */
export async function fillLastMonth(dir: string, siteUrl = 'https://status.example.com'): Promise<Filled> {
  const { month, end } = settledMonth(Date.now());
  const from = end - MINUTES;
  const [configFile, data] = [join(dir, 'highwater.yaml'), join(dir, 'data')];
  mkdirSync(data, { recursive: true });
  const keys = {
    eu: generateSigningKey('eu-1'),
    us: generateSigningKey('us-1'),
    sg: generateSigningKey('sg-1'),
  };
  writeFileSync(configFile, configText(keys, siteUrl, '5s'));
  let now = from * MINUTE_MS - 30_000;
  const clock = { now: () => now, monotonic: () => performance.now() };
  const open = (): Promise<House> => openHouse(readConfig(configFile), data, clock);
  let house = await open();
  const { origin } = readConfig(configFile);
  try {
    const players = regions.map((region) => [region, player(origin, keys[region])] as const);
    for (let nth = 0; nth < MINUTES; nth += 1) {
      now = (from + nth) * MINUTE_MS + 5_000;
      if (nth === played.inTime.first - 20) {
        await declare(house, 'New certificates', from + played.inTime.first, played.inTime);
      }
      if (nth === played.tooLate.declared) {
        await declare(house, 'We forgot to say this', from + played.tooLate.first, played.tooLate);
      }
      if (nth === played.otherConfig) {
        await house.stop();
        writeFileSync(configFile, configText(keys, siteUrl, '8s'));
        house = await open();
      }
      now = (from + nth + 1) * MINUTE_MS + 10_000;
      for (const [region, probe] of players) {
        if (region !== played.silent.region || !isIn(nth, played.silent))
          await send(house, origin, probe, region, now, nth);
      }
      if (isIn(nth, played.outage)) await judged(house, (from + nth) * MINUTE_MS);
      if (nth === played.outage.first + 4) await acknowledge(house);
    }
    // The log goes on into the next month: so it shows that this one is over.
    now = (end + 1) * MINUTE_MS + 10_000;
    for (const [region, probe] of players) await send(house, origin, probe, region, now, MINUTES);
    now = (end + 30) * MINUTE_MS;
    // Whoever asks for a slot makes the follower come so far.
    await house.json(`/v1/why?monitor=web%2Fmain%2Fhttp&at=${(end - 1) * MINUTE_MS}`);
  } finally {
    await house.stop();
  }
  return { configFile, data, origin, month };
}

const isIn = (nth: number, { first, end }: { readonly first: number; readonly end: number }): boolean =>
  nth >= first && nth < end;

async function declare(
  house: House,
  title: string,
  firstMinute: number,
  { first, end }: { readonly first: number; readonly end: number },
): Promise<void> {
  const body = { title, of: ['web'], startsAt: firstMinute * MINUTE_MS, forMs: (end - first) * MINUTE_MS };
  await posted(house, '/v1/maintenance', body);
}

async function posted(house: House, path: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${house.token}` };
  const answer = await house.post(path, JSON.stringify(body), 'application/json', headers);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  await answer.body?.cancel();
}

/** The live verdict has what was seen in the minute that begins then: minutes pass faster here than it looks. */
async function judged(house: House, minuteAt: number): Promise<void> {
  await until('the verdict of the minute', 10_000, async () => {
    const { monitors } = operatorStatus.parse(await house.json('/v1/status'));
    const votes = monitors
      .filter(({ subject }) => subject.startsWith('rpc/'))
      .flatMap((monitor) => monitor.votes.filter(({ region }) => region !== played.silent.region));
    return votes.length > 0 && votes.every(({ at }) => at !== undefined && at >= minuteAt) ? true : undefined;
  });
}

async function acknowledge(house: House): Promise<void> {
  const id = await until('the incident', 10_000, async () => {
    const { events } = feedPage.parse(await house.json('/v1/events?after=0'));
    return events
      .flatMap((event) => (event.type === 'incident.opened' ? [event.incident] : []))
      .find(({ services }) => services.includes('rpc'))?.id;
  });
  await posted(house, `/v1/alerts/${encodeURIComponent(id)}/ack`, { by: 'Ada' });
}

/** What one probe sees in one minute: a frame, and the batch of it. */
async function send(house: House, origin: string, probe: Player, region: Region, now: number, nth: number) {
  const target = '/v1/assignments?after=0';
  const text = formatRequestText({ origin, probe: probe.id, method: 'GET', target, at: now });
  const told = await house.get(target, { authorization: authorizationOf(probe.sign(text)) });
  const { seed, monitors, config } = assignmentBody.parse(
    JSON.parse(assignment.parse(await told.json()).body),
  );
  const begin = Math.floor(now / MINUTE_MS) - 1;
  const lines = monitors.flatMap(({ id, intervalMs }) => {
    const phase = phaseMs(seed, id, probe.id, intervalMs, sha256);
    const due: string[] = [];
    for (let at = nextDueAt(begin * MINUTE_MS - 1, phase, intervalMs); at < (begin + 1) * MINUTE_MS;) {
      due.push(`${id} ${at} ${answerOf(id, region, at, nth)}`);
      at = nextDueAt(at, phase, intervalMs);
    }
    return due;
  });
  for (const [path, note] of [
    ['/v1/frames', probe.frame(lines)],
    ['/v1/batches', probe.batch({ config, minute: begin }).note],
  ] as const) {
    const answer = accepted.safeParse(await (await house.post(path, note)).json());
    if (answer.data?.result !== 'accepted') throw new Error(`${path}: it was not accepted`);
  }
}

function answerOf(id: string, region: Region, at: number, nth: number): string {
  const { inTime, tooLate, outage, alone } = played;
  const isAway = id.startsWith('web/')
    ? isIn(nth, inTime) || isIn(nth, tooLate) || (isIn(nth, alone) && region === alone.region)
    : isIn(nth, outage);
  const latency = 200 + (Math.floor(at / 1_000) % 97) * 7 + (region === 'sg' ? 1_800 : 0);
  if (isAway) return `fail ${latency} target.connect.refused`;
  const height = Math.floor(at / 12_000);
  return id.endsWith('/head')
    ? `ok ${latency} - bt=${height * 12_000} h=${height} id=${height.toString(16).padStart(8, '0').slice(-8)}`
    : `ok ${latency} -`;
}
