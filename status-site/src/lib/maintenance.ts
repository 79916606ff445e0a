/** From a frame to maintenance as the pages show it. Pure. The page's own clock says what is active: snapshots age. */
import type { PublicMaintenance, PublicService } from '@highwater/config/public.ts';
import { formatDate, formatInstant, formatIso, formatSpan } from './format.ts';
import { siteUrl, type Frame } from './frame.ts';
import type { Mark } from './words.ts';

/** The overview tells of what begins within so long, ms. */
const SOON_MS = 7 * 86_400_000;

export type MaintenanceState = PublicMaintenance['state'];

export function stateOf({ state, startsAt, endsAt }: PublicMaintenance, now: number): MaintenanceState {
  if (state === 'cancelled') return state;
  if (now < startsAt) return 'planned';
  return now < endsAt ? 'active' : 'over';
}

export interface MaintenanceView {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly state: MaintenanceState;
  readonly mark: Mark;
  /** `22 Nov 2026, 02:00 to 04:00 UTC` */
  readonly span: string;
  /** `begins in 9 h 30 min`, `another 40 min`, `for 2 h`, `was ended early`. */
  readonly note: string;
  readonly startsAt: number;
  readonly endsAt: number;
  /** `Ethereum RPC`, `fra-1 of Ethereum RPC`, each with the service whose page tells more. */
  readonly covers: readonly { readonly text: string; readonly service: string }[];
}

const marks: Readonly<Record<MaintenanceState, Mark>> = {
  planned: { tone: 'maintenance', word: 'Planned' },
  active: { tone: 'maintenance', word: 'Under maintenance' },
  over: { tone: 'unknown', word: 'Over' },
  cancelled: { tone: 'unknown', word: 'Cancelled' },
};

export function maintenanceView(one: PublicMaintenance, frame: Frame): MaintenanceView {
  const { id, title, body = '', startsAt, endsAt, of } = one;
  const state = stateOf(one, frame.now);
  const names = new Map(frame.snapshot?.services.map((service) => [service.id, service.name]));
  const covers = of.flatMap((subject) => {
    const [service = '', node] = subject.split('/');
    const name = names.get(service);
    // What has left the configuration since has no page to lead to.
    if (name === undefined || (node !== undefined && of.includes(service))) return [];
    return [{ text: node === undefined ? name : `${node} of ${name}`, service }];
  });
  return {
    id,
    title,
    body,
    state,
    mark: marks[state],
    span: spanText(startsAt, endsAt),
    note: noteOf(one, state, frame.now),
    startsAt,
    endsAt,
    covers,
  };
}

/** One day is named once. */
export function spanText(startsAt: number, endsAt: number): string {
  const isOneDay = formatDate(startsAt) === formatDate(endsAt);
  if (!isOneDay) return `${formatInstant(startsAt)} to ${formatInstant(endsAt)}`;
  return `${formatDate(startsAt)}, ${formatIso(startsAt).slice(11, 16)} to ${formatIso(endsAt).slice(11, 16)}\u00a0UTC`;
}

function noteOf(one: PublicMaintenance, state: MaintenanceState, now: number): string {
  const { startsAt, endsAt, cancelledAt } = one;
  if (state === 'planned')
    return `begins in ${formatSpan(startsAt - now)}, for ${formatSpan(endsAt - startsAt)}`;
  if (state === 'active') return `another ${formatSpan(endsAt - now)}`;
  if (state === 'cancelled') return 'did not take place';
  return cancelledAt === undefined
    ? `took ${formatSpan(endsAt - startsAt)}`
    : `ended early, after ${formatSpan(endsAt - startsAt)}`;
}

const known = (frame: Frame): readonly PublicMaintenance[] => frame.snapshot?.maintenance ?? [];

function viewsIn(frame: Frame, which: (one: PublicMaintenance) => boolean): readonly MaintenanceView[] {
  return known(frame)
    .filter(which)
    .map((one) => maintenanceView(one, frame));
}

/** What a visitor is told without asking: what is active, and what begins within a week; the first to begin first. */
export function notices(frame: Frame): readonly MaintenanceView[] {
  const { now } = frame;
  return viewsIn(frame, (one) => {
    const state = stateOf(one, now);
    return state === 'active' || (state === 'planned' && one.startsAt - now <= SOON_MS);
  });
}

/** The same of one service or its nodes, whenever it begins. */
export function maintenanceOf(service: string, frame: Frame): readonly MaintenanceView[] {
  const concerns = (subject: string): boolean => subject === service || subject.startsWith(`${service}/`);
  return viewsIn(
    frame,
    (one) => one.of.some(concerns) && ['active', 'planned'].includes(stateOf(one, frame.now)),
  );
}

export interface MaintenanceGroups {
  readonly active: readonly MaintenanceView[];
  readonly planned: readonly MaintenanceView[];
  /** Newest first. */
  readonly past: readonly MaintenanceView[];
}

export function maintenanceGroups(frame: Frame): MaintenanceGroups {
  const all = viewsIn(frame, () => true);
  return {
    active: all.filter(({ state }) => state === 'active'),
    planned: all.filter(({ state }) => state === 'planned'),
    past: all
      .filter(({ state }) => state === 'over' || state === 'cancelled')
      .toSorted((a, b) => b.endsAt - a.endsAt),
  };
}

/** Whether a node is under maintenance now, by itself or with its service. */
export function isMaintained(service: PublicService, node: string, frame: Frame): boolean {
  return known(frame).some(
    (one) =>
      stateOf(one, frame.now) === 'active' &&
      (one.of.includes(service.id) || one.of.includes(`${service.id}/${node}`)),
  );
}

/**
 * Since when a service is covered without a break, as far as what is active tells; undefined when it is not covered now.
 * What the checks say of it began at another time.
 */
export function maintainedSince(service: string, frame: Frame): number | undefined {
  const starts = known(frame)
    .filter((one) => one.of.includes(service) && stateOf(one, frame.now) === 'active')
    .map(({ startsAt }) => startsAt);
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** `Down, under maintenance`: what is seen of a node goes on being said. */
export function nodeMarkUnder(mark: Mark, service: PublicService, node: string, frame: Frame): Mark {
  if (!isMaintained(service, node, frame)) return mark;
  return { tone: 'maintenance', word: `${mark.word}, under maintenance` };
}

/** One thing that happened to a maintenance, for feeds and readers of the Statuspage shape. */
export interface Step {
  readonly id: string;
  readonly at: number;
  readonly status: 'scheduled' | 'in_progress' | 'completed';
  readonly body: string;
}

/** Oldest first, none from the future. */
export function stepsOf(one: PublicMaintenance, now: number): readonly Step[] {
  const { id, title, body, startsAt, endsAt, declaredAt, cancelledAt } = one;
  const state = stateOf(one, now);
  const step = (status: Step['status'], at: number, text: string): Step => ({
    id: `${id}.${status}`,
    at,
    status,
    body: text,
  });
  const steps = [step('scheduled', declaredAt, body ?? title)];
  if (state === 'cancelled')
    return [
      ...steps,
      step('completed', cancelledAt ?? declaredAt, 'It was cancelled and did not take place.'),
    ];
  if (state !== 'planned') steps.push(step('in_progress', startsAt, 'The maintenance has begun.'));
  if (state === 'over')
    steps.push(step('completed', endsAt, cancelledAt === undefined ? 'It is over.' : 'It was ended early.'));
  return steps;
}

/** The page's address of one. */
export function maintenanceUrl(id: string, frame: Frame): string {
  return `${siteUrl(frame)}/maintenance#m-${id}`;
}
