/**
 * Somebody takes up an incident or an alarm. Both lie in HOUSE_SHARD, and what operators do is in the log, in LOG_SHARD:
 * first the leaf is written, in one transaction with an outbox row, which then carries the acknowledgement into the
 * house. The caller is answered when both are durable; a row that a crash left behind is carried over at the next start.
 * The other way round, the house's outbox would wait for the log, and with it every alert.
 *
 * The name of who did it stays in the house: a public log, from which nothing is ever taken out, is no place for it.
 */
import { alarmId } from '@highwater/config/alarm.ts';
import type { Incident } from '@highwater/config/domain.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import { acknowledgeAlarmIn, type AlarmState } from '../alarms.ts';
import { appendAction, type Signing, subjectOf } from '../leaves/actions.ts';
import type { OutboxRow, ReadTx, Store, Tx } from '../store/store.ts';
import { HOUSE_SHARD, LOG_SHARD } from '../watched.ts';

export type Acknowledged = 'unknown' | 'over' | 'acknowledged';

export interface Acknowledging {
  readonly store: Store;
  readonly clock: Clock;
  readonly signing: Signing;
  /** Of the projection: hides what is private. */
  readonly salt: string;
  /** Services that the public page shows. */
  readonly shown: ReadonlySet<string>;
}

/** Rows of the log's shard: when somebody last acknowledged something with a leaf. */
const CORE = 'acknowledged';
const KIND = 'acknowledge';
/** Rows taken up at once. */
const AT_ONCE = 100;

interface Payload {
  readonly id: string;
  readonly by: string;
}

/** What there is to take up. */
interface Open {
  /** When it was opened, or resolved for the last time before it was reopened. */
  readonly since: Instant;
  /** Services that it tells of. */
  readonly services: readonly string[];
}

async function openOf(tx: ReadTx, id: string): Promise<Open | 'unknown' | 'over'> {
  const incident = (await tx.getState('incident', id))?.value as Incident | undefined;
  if (incident !== undefined) {
    if (incident.phase === 'resolved') return 'over';
    const resolved = incident.updates.findLast(({ phase }) => phase === 'resolved');
    const ofNodes = incident.nodes.map((node) => node.slice(0, node.indexOf('/')));
    return { since: resolved?.at ?? incident.startedAt, services: [...incident.services, ...ofNodes] };
  }
  const alarms = (await tx.listState('alarm')).map(({ value }) => value as AlarmState);
  const alarm = alarms.find((each) => alarmId(each.alarm.key) === id);
  if (alarm === undefined) return 'unknown';
  return alarm.clearedAt === undefined ? { since: alarm.raisedAt, services: [] } : 'over';
}

/**
 * One leaf for each time that it was opened and each who acknowledges; repeated, it is told again and no other leaf.
 *
 * @param id of an incident or an alarm
 */
export async function acknowledge(
  { store, clock, signing, salt, shown }: Acknowledging,
  id: string,
  by: string,
): Promise<Acknowledged> {
  const open = await store.read(HOUSE_SHARD, (tx) => openOf(tx, id));
  if (typeof open === 'string') return open;
  const subject = subjectOf(id, open.services.some((service) => !shown.has(service)), salt); // prettier-ignore
  const row = await store.transact(LOG_SHARD, async (tx): Promise<Pick<OutboxRow, 'key' | 'payload'>> => {
    const at = clock.now();
    const key = `${id}/${by}`;
    const last = await tx.getState(CORE, key);
    if (last === undefined || (last.value as Instant) < open.since) {
      await appendAction(tx, signing, { by: 'operator', what: 'acknowledge', subject, at, evidence: [] });
      await tx.putState(CORE, key, last?.version ?? 0, at);
    }
    const payload: Payload = { id, by };
    const outboxKey = `ack/${key}/${at}`;
    await tx.addOutbox(outboxKey, KIND, payload);
    return { key: outboxKey, payload };
  });
  return carryOver(store, clock, row);
}

/** Doing it again changes nothing: the house knows the row's key. */
async function carryOver(
  store: Store,
  clock: Clock,
  { key, payload }: Pick<OutboxRow, 'key' | 'payload'>,
): Promise<Acknowledged> {
  const { id, by } = payload as Payload;
  const result = await store.transact(HOUSE_SHARD, async (tx: Tx): Promise<Acknowledged> => {
    const open = await openOf(tx, id);
    if (typeof open === 'string') return open;
    if (await tx.addOutbox(key, 'feed', { type: 'alert.acknowledged', incidentId: id, by }))
      await acknowledgeAlarmIn(tx, clock.now(), id, by);
    return 'acknowledged';
  });
  await store.transact(LOG_SHARD, (tx) => tx.doneOutbox(key));
  return result;
}

/** Carries over what a crash, or a full disk, has left between the log and the house. Returns how many. */
export async function carryAcknowledgements(store: Store, clock: Clock): Promise<number> {
  const rows = await store.read(LOG_SHARD, (tx) => tx.outbox(AT_ONCE));
  const waiting = rows.filter(({ kind }) => kind === KIND);
  for (const row of waiting) await carryOver(store, clock, row);
  return waiting.length;
}
