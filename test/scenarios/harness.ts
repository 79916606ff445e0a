/**
 * Scripts over simulated time through all live decisions. A script is blocks of input lines, `----` and the text that
 * they must give; blocks are parted by an empty line; `#` begins a comment. Time starts at 0 s and only `run` moves it.
 *
 *   world regions=eu,us,sg interval=10s fall=2 rise=2 [quorum=Q] [probes=N] [compares=METHOD]
 *         [chain=BLOCKTIME,MAXLAG[,MAXAGE[,FORKDEPTH]]] [paces=BLOCKTIME] [references=HOST@OPERATOR,…]
 *                                           the chain as it is configured; `paces`: as it really goes
 *   service ID "NAME" nodes=ID@ZONE[@OPERATOR],… [minUp=N] [group=G]
 *   set NODE,… [in=REGION or PROBE,…] ok|degraded|fail [FAULT] …      what probes see from now on; references are nodes too:
 *         [ahead=N|behind=N] [genesis=HEX]  its height and chain
 *         [still=yes]                       its head stays where it is now, until that is too old
 *         [fork=HEX]                        its blocks from now on have ids of their own
 *         [result=HEX]                      what it answers to the method that is compared
 *   next NODE,… in=REGION OUTCOME,…         what they see in the next rounds, one each
 *   cut REGION / join REGION                answers are spooled / delivered at once
 *   mute REGION / unmute REGION             answers are not taken at all
 *   drop NODE                               taken out of the configuration
 *   maintain SUBJECT,… for=DURATION [in=DURATION]   declared now; in whole minutes, from the next at the earliest
 *   cancel                                  the maintenance that was declared last, from the next minute on
 *   restart                                 state saved as JSON and loaded
 *   run DURATION                            tells what changes
 *   show                                    tells what is
 */
import { formatDuration, parseDurationMs } from '@highwater/config/time.ts';
import type { Component } from '../../collector/src/decide/component.ts';
import type { Incidents } from '../../collector/src/decide/incident.ts';
import { noIncidents, track, wakeAt as incidentWake } from '../../collector/src/decide/incident.ts';
import { coverAt, type Declared, plan, planEnd } from '../../collector/src/decide/maintenance.ts';
import type { Answer, IncidentEffect, Topology } from '../../collector/src/decide/types.ts';
import { members } from '../../collector/src/decide/head.ts';
import { headsOf, policyOfChain } from '../../collector/src/live/heads.ts';
import type { Shard } from '../../collector/src/live/shard.ts';
import type { Watched } from '../../collector/src/watched.ts';
import type { Plan, PlannedChain } from './picture.ts';
import {
  componentOf,
  emptyShard,
  judgementOf,
  look,
  wakeAt as liveWake,
  probesOf,
  reloaded,
  verdictsOf,
  watchedOf,
} from './picture.ts';
import { headFacts, heightAt, type Sight, well } from './sight.ts';

type Service = Topology['services'][number];

interface World {
  now: number;
  regions: string[];
  probesPerRegion: number;
  intervalMs: number;
  fall: number;
  rise: number;
  quorum: number | undefined;
  chain: PlannedChain | undefined;
  /** How fast blocks really come. */
  paceMs: number;
  compares: string | undefined;
  operators: Map<string, string>;
  services: Service[];
  sights: Map<string, Sight>;
  coming: Map<string, Answer['outcome'][]>;
  cut: Set<string>;
  muted: Set<string>;
  spool: Map<string, Answer[]>;
  /** Made from the plan when it is first needed, and again when that changes. */
  live: { readonly watched: Watched; readonly shard: Shard } | undefined;
  incidents: Incidents;
  components: Record<string, Component>;
  maintenance: Declared[];
}

const RECEIPT_MS = 100;

/** Runs a script and gives it back with the expected text replaced by what came. */
export function runScript(script: string): string {
  const world = emptyWorld();
  const blocks = script.trimEnd().split(/\n\n+/);
  return `${blocks.map((block) => runBlock(world, block)).join('\n\n')}\n`;
}

function runBlock(world: World, block: string): string {
  const lines = block.split('\n');
  const end = lines.indexOf('----');
  const input = end === -1 ? lines : lines.slice(0, end);
  const commands = input.map((line) => line.replace(/\s+#.*|^#.*/, '').trim()).filter((line) => line !== '');
  if (commands.length === 0) return input.join('\n');
  const output = commands.flatMap((command) => runCommand(world, command));
  return [...input, '----', ...(output.length === 0 ? ['ok'] : output)].join('\n');
}

function emptyWorld(): World {
  return {
    now: 0,
    regions: [],
    probesPerRegion: 1,
    intervalMs: 10_000,
    fall: 2,
    rise: 2,
    quorum: undefined,
    chain: undefined,
    paceMs: 1_000,
    compares: undefined,
    operators: new Map(),
    services: [],
    sights: new Map(),
    coming: new Map(),
    cut: new Set(),
    muted: new Set(),
    spool: new Map(),
    live: undefined,
    incidents: noIncidents,
    components: {},
    maintenance: [],
  };
}

// ---------------------------------------------------------------- commands

type Command = (world: World, words: readonly string[], fields: Readonly<Record<string, string>>) => string[];

const commands: Readonly<Record<string, Command>> = {
  world: (world, _, fields) => {
    world.regions = list(fields['regions']);
    world.probesPerRegion = Number(fields['probes'] ?? 1);
    world.intervalMs = duration(fields['interval'] ?? '10s');
    world.fall = Number(fields['fall'] ?? 2);
    world.rise = Number(fields['rise'] ?? 2);
    world.quorum = fields['quorum'] === undefined ? undefined : Number(fields['quorum']);
    world.compares = fields['compares'];
    const [blockTime, maxLag, maxAge = '1m', forkDepth] = list(fields['chain']);
    if (blockTime !== undefined) {
      world.paceMs = duration(fields['paces'] ?? blockTime);
      world.chain = {
        blockTimeMs: duration(blockTime),
        maxLagBlocks: Number(maxLag),
        maxAgeMs: duration(maxAge),
        ...(forkDepth !== undefined && { forkDepthBlocks: Number(forkDepth) }),
        references: list(fields['references']).map((reference) => {
          const [host = '', operator = ''] = reference.split('@');
          return { host, operator };
        }),
      };
    }
    return [];
  },
  service: (world, [id = '', name = ''], fields) => {
    const nodes = list(fields['nodes']).map((node) => {
      const [nodeId = '', zone = '', operator] = node.split('@');
      if (operator !== undefined) world.operators.set(`${id}/${nodeId}`, operator);
      return { id: nodeId, zone };
    });
    const group = fields['group'] === undefined ? {} : { group: fields['group'] };
    const chain = world.chain === undefined ? {} : { chain: 'dev' };
    world.services.push({ id, name, minUp: Number(fields['minUp'] ?? 1), nodes, ...group, ...chain });
    return [];
  },
  set: (world, [nodes, outcome = 'ok', fault], fields) => {
    for (const node of list(nodes)) {
      for (const region of fields['in'] ? list(fields['in']) : world.regions) {
        world.sights.set(`${node} ${region}`, {
          outcome: outcome as Answer['outcome'],
          ahead: Number(fields['ahead'] ?? 0) - Number(fields['behind'] ?? 0),
          genesis: fields['genesis'] ?? well.genesis,
          result: fields['result'] ?? well.result,
          ...(fields['still'] !== undefined && { stillSince: world.now }),
          ...(fields['fork'] !== undefined && {
            fork: { id: fields['fork'], fromHeight: heightAt(world, world.now) },
          }),
          ...(fault !== undefined && { fault }),
        });
      }
    }
    return [];
  },
  next: (world, [nodes, outcomes], fields) => {
    for (const node of list(nodes)) {
      for (const region of list(fields['in'])) {
        world.coming.set(`${node} ${region}`, list(outcomes) as Answer['outcome'][]);
      }
    }
    return [];
  },
  cut: (world, [region = '']) => (world.cut.add(region), []),
  join: (world, [region = '']) => {
    world.cut.delete(region);
    const late = world.spool.get(region) ?? [];
    world.spool.delete(region);
    return step(
      world,
      late.map((answer) => ({ ...answer, receivedAt: world.now })),
    );
  },
  mute: (world, [region = '']) => (world.muted.add(region), []),
  unmute: (world, [region = '']) => (world.muted.delete(region), []),
  drop: (world, [node = '']) => {
    world.services = world.services.map((service) => ({
      ...service,
      nodes: service.nodes.filter(({ id }) => `${service.id}/${id}` !== node),
    }));
    world.live = { watched: watchedOf(planOf(world)), shard: liveOf(world).shard };
    return step(world, []);
  },
  maintain: (world, [subjects], fields) => {
    const startsAt = world.now + duration(fields['in'] ?? '0s');
    const planned = plan({ startsAt, forMs: duration(fields['for'] ?? '') }, world.now);
    if ('error' in planned) return [planned.error];
    const id = `m${world.maintenance.length}`;
    const { from, last } = planned;
    world.maintenance.push({ id, leaf: id, title: id, of: list(subjects), from, last, declaredAt: world.now });
    return step(world, []);
  },
  cancel: (world) => {
    const one = world.maintenance.pop();
    if (one === undefined) return ['nothing to cancel'];
    const from = planEnd(one, undefined, world.now);
    const cancelled = typeof from === 'number' && { cancelled: { at: world.now, from } };
    world.maintenance.push({ ...one, ...cancelled });
    return step(world, []);
  },
  restart: (world) => {
    const { watched, shard } = liveOf(world);
    world.live = { watched, shard: reloaded(shard) };
    world.incidents = JSON.parse(JSON.stringify(world.incidents)) as Incidents;
    return [];
  },
  run: (world, [length = '']) => run(world, world.now + duration(length)),
  show,
};

function runCommand(world: World, line: string): string[] {
  const [name = '', ...rest] = line.match(/"[^"]*"|\S+/g) ?? [];
  const command = commands[name];
  if (!command) throw new Error(`unknown command: ${line}`);
  const words = rest.filter((word) => !/^\w+=/.test(word)).map((word) => word.replaceAll('"', ''));
  const pairs = rest.filter((word) => /^\w+=/.test(word)).map((word) => word.split('=') as [string, string]);
  return command(world, words, Object.fromEntries(pairs));
}

function list(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(',');
}

function duration(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined) throw new Error(`not a duration: ${text}`);
  return ms;
}

// -------------------------------------------------------------- simulation

/** From event to event: a check that is due, or a wake that a decision asked for. */
function run(world: World, until: number): string[] {
  const told: string[] = [];
  for (;;) {
    const at = nextEvent(world);
    if (at > until) break;
    world.now = at;
    told.push(...step(world, answersAt(world, at)));
  }
  world.now = until;
  return told;
}

function nextEvent(world: World): number {
  const { watched, shard } = liveOf(world);
  const { until } = coverAt(world.maintenance, world.now);
  const wakes = [liveWake(watched, shard, world.now), incidentWake(world.incidents), until];
  const due = askers(world).map(({ offset }) => {
    const first = offset + RECEIPT_MS;
    const rounds = Math.floor((world.now - first) / world.intervalMs) + 1;
    return first + Math.max(0, rounds) * world.intervalMs;
  });
  return Math.min(...due, ...wakes.flatMap((wake) => (wake !== null && wake > world.now ? [wake] : [])));
}

/** Probes of one region ask a second apart, regions too: nothing in the world happens at once. */
function askers(world: World) {
  return probesOf(planOf(world)).map((probe, i) => ({ ...probe, offset: i * 1_000 }));
}

function answersAt(world: World, at: number): Answer[] {
  const answers: Answer[] = [];
  for (const { id, region, offset } of askers(world)) {
    const dueAt = at - RECEIPT_MS;
    if (dueAt < offset || (dueAt - offset) % world.intervalMs !== 0 || world.muted.has(region)) continue;
    const round = nodesOf(world).flatMap((node) => answersOf(world, node, { id, region }, dueAt));
    if (world.cut.has(region)) world.spool.set(region, [...(world.spool.get(region) ?? []), ...round]);
    else answers.push(...round);
  }
  return answers;
}

/** What a probe says of a node: of its head, and where a method is compared of that. */
function answersOf(world: World, node: string, probe: { id: string; region: string }, dueAt: number): Answer[] {
  const sight = world.sights.get(`${node} ${probe.id}`) ?? world.sights.get(`${node} ${probe.region}`) ?? well;
  const outcome = world.coming.get(`${node} ${probe.region}`)?.shift() ?? sight.outcome;
  const seen = (check: string): Answer => ({
    monitor: `${node}/${check}`,
    probe: probe.id,
    region: probe.region,
    dueAt,
    receivedAt: dueAt + RECEIPT_MS,
    outcome,
    latencyTenths: 400,
    recheck: false,
    ...(outcome !== 'ok' && { fault: sight.fault ?? 'target.http.timeout' }),
  });
  const { compares } = world;
  const calls = { ...seen('calls'), equal: { [compares ?? '']: `00000001.${sight.result}` } };
  const isCompared = compares !== undefined && !node.startsWith('chain.');
  return [{ ...seen('head'), ...headFacts(world, sight, dueAt, outcome) }, ...(isCompared ? [calls] : [])];
}

function nodesOf(world: World): string[] {
  return [
    ...world.services.flatMap((service) => service.nodes.map((node) => `${service.id}/${node.id}`)),
    ...(world.chain?.references ?? []).map(({ host }) => `chain.dev/${host}`),
  ];
}

function planOf(world: World): Plan {
  const { regions, probesPerRegion, intervalMs, fall, rise, quorum, chain, compares, operators, services } = world;
  const some = {
    ...(quorum !== undefined && { quorum }),
    ...(chain && { chain }),
    ...(compares !== undefined && { compares }),
  };
  return { operators, regions, probesPerRegion, intervalMs, fall, rise, services, ...some };
}

function liveOf(world: World): NonNullable<World['live']> {
  if (world.live) return world.live;
  const watched = watchedOf(planOf(world));
  world.live = { watched, shard: emptyShard(watched) };
  return world.live;
}

/** What the driver does at one time: answers, verdicts, incidents, words; nothing else decides. */
function step(world: World, answers: readonly Answer[]): string[] {
  const { watched, shard } = liveOf(world);
  const maintained = coverAt(world.maintenance, world.now).cover;
  const flips = look(watched, shard, answers, world.now, maintained);
  const told = flips.filter((flip) => isTold(flip.subject)).map((flip) => flipLine(world, flip));
  const decide = track(watched.topology);
  const [incidents, effects] = decide(world.incidents, { type: 'flips', flips, maintained }, world.now);
  world.incidents = incidents;
  return [...told, ...effects.flatMap((effect) => incidentLines(world, effect)), ...words(world, shard)];
}

/** Flips of monitors would only repeat those of their nodes. */
function isTold(subject: string): boolean {
  return subject.split('/').length < 3;
}

function words(world: World, shard: Shard): string[] {
  return world.services.flatMap(({ id }) => {
    const before = world.components[id];
    const after = componentOf(shard, id);
    if (!after) return [];
    world.components[id] = after;
    const changed = after.word !== before?.word || after.noDataSince !== before.noDataSince;
    return changed ? [`${clock(world.now)}  page ${id}: ${wordLine(after)}`] : [];
  });
}

// -------------------------------------------------------------------- text

/** `1m10s`: seconds since the script began; tenths where they matter. */
function clock(at: number): string {
  return `${at / 1_000}s`.padStart(8);
}

function flipLine(
  world: World,
  flip: { subject: string; from: string; to: string; at: number; because: string },
): string {
  const { subject, from, to, at, because } = flip;
  const dated = at === world.now ? '' : ` since ${clock(at).trim()}`;
  return `${clock(world.now)}  flip ${subject} ${from} -> ${to}${dated}: ${because}`;
}

function incidentLines(world: World, { type, incident, impact }: IncidentEffect): string[] {
  const newest = incident.updates.at(-1);
  return [
    `${clock(world.now)}  incident ${type} ${impact} ${incident.phase} [${incident.key}] ${incident.title}`,
    ...(newest?.body ?? '').split('\n').map((line) => `            ${line}`),
  ];
}

function wordLine(kept: Component): string {
  return kept.noDataSince === undefined
    ? kept.word
    : `${kept.word}, no current data since ${clock(kept.noDataSince).trim()}`;
}

function chainLine(world: World): string[] {
  const { watched, shard } = liveOf(world);
  const [head] = headsOf(watched, shard, 'dev', world.now).heads;
  if (head === undefined) return [];
  const blockTime = formatDuration(policyOfChain(watched, shard, 'dev')?.blockTimeMs ?? 0);
  return [`chain dev is at ${head.height} of ${members(head)}, a block in ${blockTime}`];
}

function show(world: World): string[] {
  const { shard } = liveOf(world);
  const verdicts = [...verdictsOf(shard).values()]
    .filter(({ subject }) => isTold(subject))
    .map(({ subject, status, since }) => `${subject} is ${status} since ${clock(since).trim()}`);
  const notices = world.services.flatMap(({ id }) => {
    const notice = judgementOf(shard, id)?.notice;
    return notice === undefined ? [] : [`${id} notice: ${notice}`];
  });
  const stories = Object.values(world.incidents.stories).map(
    ({ incident: i }) =>
      `incident ${i.id} ${i.impact} ${i.phase} [${i.key}] ${i.title}; ${i.services.join(' ')}; ${i.nodes.join(' ')}; ` +
      `started ${clock(i.startedAt).trim()}, ${i.updates.length} updates`,
  );
  const silence = [...world.muted, ...world.cut].map((region) => `${region} is silent`);
  return [`after ${formatDuration(world.now)}`, ...chainLine(world), ...verdicts, ...notices, ...silence, ...stories];
}
