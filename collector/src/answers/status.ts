/** What an operator sees: verdicts with their votes, heads, probes, open incidents. Never public. */
import type { Verdict } from '@highwater/config/domain.ts';
import { faultId } from '@highwater/config/faults.ts';
import { parseBatchText } from '@highwater/config/proof/batch.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { type Clock, formatDay } from '@highwater/config/time.ts';
import type { OperatorStatus } from '@highwater/config/wire.ts';
import { openAlarms } from '../alarms.ts';
import type { Condition } from '../decide/region.ts';
import type { HeardBook, HeardState } from '../ingest/heard.ts';
import { headsOf, madeAt, stateOfChain } from '../live/heads.ts';
import type { Live } from '../live/heart.ts';
import type { Regions } from '../live/regions.ts';
import { allIncidents } from '../live/stories.ts';
import { keptFrom, recomputableUntil } from '../retention/bodies.ts';
import { signerOfKey } from '../signer.ts';
import { voidedEpochs, type VoidedEpoch } from '../slots/ground.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD, type Watched } from '../watched.ts';

type Told = OperatorStatus['monitors'][number];

/** A verdict as it goes over the wire: faults by id, their details beside. */
export function toldVerdict(verdict: Verdict): Told {
  const { subject, status, since, because } = verdict;
  const votes = verdict.votes.map((vote) => ({
    region: vote.region,
    status: vote.status,
    ...(vote.at === undefined ? {} : { at: vote.at }),
    ...(vote.latencyTenths === undefined ? {} : { latencyTenths: vote.latencyTenths }),
    ...(vote.fault === undefined ? {} : { fault: faultId(vote.fault) }),
    ...(vote.fault?.detail === undefined ? {} : { detail: vote.fault.detail }),
  }));
  return { subject, status, since, because, votes };
}

const bySubject = (a: Told, b: Told): number => (a.subject < b.subject ? -1 : 1);

type Unwell = OperatorStatus['unwellRegions'][number];

function unwellPart(condition: Condition | undefined): {
  unwell?: Pick<Unwell, 'state' | 'since' | 'because'>;
} {
  if (condition === undefined) return {};
  const { state, since, because } = condition;
  return { unwell: { state, since, because } };
}

/** Of the epoch in which it is heard, by the key that is declared; a new one of either is clean. */
function contradictedPart(
  voided: readonly VoidedEpoch[],
  key: string,
  heard: HeardState | undefined,
): Pick<OperatorStatus['probes'][number], 'contradicted'> {
  const by = signerOfKey(key);
  const found = voided.find(({ signer, epoch }) => signer === by && epoch === heard?.epoch);
  return found === undefined ? {} : { contradicted: { epoch: found.epoch, from: found.from } };
}

/** What each probe last said of itself: when, its clock, the configuration that it ran. */
async function probesOf(
  watched: Watched,
  store: Store,
  regions: Regions,
  heardBook: Pick<HeardBook, 'of'>,
  config: string,
): Promise<OperatorStatus['probes']> {
  return store.read(LOG_SHARD, async (tx) => {
    const probes: OperatorStatus['probes'] = [];
    const voided = await voidedEpochs(tx);
    for (const { id, region, key } of watched.config.probes) {
      const heard = heardBook.of(id);
      const note = parseNote((await tx.lastBatch(id))?.note ?? '');
      const read = 'error' in note ? note : parseBatchText(note.text);
      const batch = 'error' in read ? undefined : read;
      probes.push({
        id,
        region,
        ...(heard === undefined ? {} : { lastHeardAt: heard.at }),
        ...(batch === undefined
          ? {}
          : { clockBoundMs: batch.clock.boundMs, config: batch.config, closedMinute: batch.minutes.last }),
        current: batch?.config === config,
        ...contradictedPart(voided, key, heard),
        ...unwellPart(regions.ofProbe(id)),
      });
    }
    return probes;
  });
}

/** From which day on bodies are kept, and until when this month and the one before can be counted again. */
async function bodiesKept(watched: Watched, store: Store, now: number): Promise<OperatorStatus['bodies']> {
  const { from, startedAt } = await store.read(LOG_SHARD, async (tx) => {
    const startedAt = Number((await tx.meta('startedAt')) ?? now);
    return { from: await keptFrom(tx, startedAt), startedAt };
  });
  const date = new Date(now);
  const months = [0, 1].map((back) =>
    new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - back)).toISOString().slice(0, 7),
  );
  return {
    keptFrom: formatDay(from),
    recomputable: months.flatMap((month) => {
      const until = recomputableUntil(month, watched.config.retention.bodiesMs, { from, startedAt });
      return until === undefined ? [] : [{ month, until }];
    }),
  };
}

/** `config` is the leaf hash of the configuration that now holds. */
export async function operatorStatus(
  watched: Watched,
  store: Store,
  live: Live,
  regions: Regions,
  heard: Pick<HeardBook, 'of'>,
  clock: Clock,
  config: string,
): Promise<OperatorStatus> {
  const now = clock.now();
  const shards = [...live.shards.values()];
  const open = (await allIncidents(store)).filter((incident) => incident.phase !== 'resolved');
  const told = (rows: Iterable<[string, { readonly verdict: Verdict }]>): Told[] =>
    [...rows].filter(([id]) => !id.endsWith('/public')).map(([, row]) => toldVerdict(row.verdict));
  return {
    at: now,
    site: watched.config.site.name,
    services: shards.flatMap((shard) => told(shard.services.entries())).sort(bySubject),
    nodes: shards.flatMap((shard) => told(shard.nodes.entries())).sort(bySubject),
    monitors: shards.flatMap((shard) => told(shard.monitors.entries())).sort(bySubject),
    heads: [...watched.chains.keys()].flatMap((chain) => {
      const shard = live.shards.get(`chain:${chain}`);
      const head = shard === undefined ? undefined : headsOf(watched, shard, chain, now).heads[0];
      if (shard === undefined || head === undefined) return [];
      const { height, nodes, references } = head;
      const at = madeAt(shard, head);
      return [{ chain, height, at, nodes, references, ...stateOfChain(watched, shard, head) }];
    }),
    unwellRegions: watched.config.regions.flatMap(({ id, name }): Unwell[] => {
      const { unwell } = unwellPart(regions.ofRegion(id));
      return unwell === undefined ? [] : [{ region: id, name, ...unwell }];
    }),
    probes: await probesOf(watched, store, regions, heard, config),
    bodies: await bodiesKept(watched, store, now),
    incidents: open
      .sort((a, b) => b.startedAt - a.startedAt)
      .map((incident) => ({
        ...incident,
        services: [...incident.services],
        nodes: [...incident.nodes],
        updates: [...incident.updates],
      })),
    alarms: await openAlarms(store),
  };
}
