/** What lies under the count: what was in force when, for public services alone, and what is known of each batch. */
import { isPublished } from '../../bundle/published.ts';
import { MINUTES_PER_DAY, dayOfMinute } from '../../time.ts';
import type { RuleConfig, RuleMonitor } from '../projection.ts';
import type { MinuteRange } from '../rule/evaluate.ts';
import { MAX_CLOCK_BOUND_MS } from '../rule/none.ts';
import { REFERENCE_PREFIX } from '../rule/stalled.ts';
import { type Timeline, timelineOf } from '../rule/timeline.ts';
import type { CountBatch, CountInput } from './count.ts';

export const ENROLLED = 1;
export const CONTRADICTED = 2;
export const CLOCK_UNSURE = 4;
export const TWIN = 8;

export interface Ground {
  readonly input: CountInput;
  readonly timeline: Timeline;
  /** By place. */
  readonly keys: readonly string[];
  readonly placeOf: ReadonlyMap<CountBatch, number>;
  /** By place of the batch: place of its key, and the bits above. */
  readonly keyOf: Uint32Array;
  readonly bits: Uint8Array;
  /** The same number for batches of which the same holds: bits, key, probe and configuration. */
  readonly likeOf: Uint32Array;
}

export const serviceOf = (monitor: string): string => monitor.slice(0, monitor.indexOf('/'));

/** As if the operator had configured public services alone, and references. */
function publicPart(config: RuleConfig): RuleConfig {
  const services = config.services.filter(({ visibility }) => visibility === 'public');
  const ids = new Set(services.map(({ id }) => id));
  const isPublic = (service: string): boolean => service.startsWith(REFERENCE_PREFIX) || ids.has(service);
  return { ...config, services, monitors: config.monitors.filter(({ id }) => isPublic(serviceOf(id))) };
}

/** What is read of a configuration: all that is public, or what one service takes. */
function partOf(whole: RuleConfig, service: string | undefined): RuleConfig {
  const config = publicPart(whole);
  return service === undefined ? config : { ...config, monitors: neededFor(service, config.monitors) };
}

/** Monitors that decide what is told of one service: its own, and the heads of the chains that its own heads follow. */
function neededFor(service: string, monitors: readonly RuleMonitor[]): RuleMonitor[] {
  const own = monitors.filter(({ id }) => serviceOf(id) === service);
  const chains = new Set(own.flatMap(({ kind, chain }) => (kind === 'head' && chain ? [chain] : [])));
  return monitors.filter(
    ({ id, kind, chain }) =>
      serviceOf(id) === service || (kind === 'head' && chain !== undefined && chains.has(chain)),
  );
}

export function groundOf(input: CountInput): Ground {
  const { batches, service } = input;
  // Many leaves may name one projection.
  const parts = new Map<RuleConfig, RuleConfig>();
  const configs = input.configs.map((record) => {
    const part = parts.get(record.config) ?? partOf(record.config, service);
    parts.set(record.config, part);
    return { ...record, config: part };
  });
  const timeline = timelineOf({
    configs,
    probes: input.probes,
    maints: input.maints,
    batches: batches.map((batch) => ({ index: batch.index, key: batch.key, batch })),
  });
  const places = new Map<string, number>();
  const keyOf = new Uint32Array(batches.length);
  const bits = new Uint8Array(batches.length);
  const likeOf = new Uint32Array(batches.length);
  const likes = new Map<string, number>();
  const numbers = new Map<string, Map<number, number>>();
  for (const [place, { key, index, epoch, number, clock, probe, config }] of batches.entries()) {
    const keyPlace = places.get(key) ?? places.size;
    places.set(key, keyPlace);
    keyOf[place] = keyPlace;
    const isUnsure = clock.boundMs < 0 || clock.boundMs > MAX_CLOCK_BOUND_MS;
    bits[place] =
      (timeline.isEnrolledBelow(key, index) ? ENROLLED : 0) |
      (number >= input.voidFrom(key, epoch) ? CONTRADICTED : 0) |
      (isUnsure ? CLOCK_UNSURE : 0);
    const like = `${bits[place]} ${keyPlace} ${probe} ${config}`;
    likeOf[place] = likes.get(like) ?? likes.size;
    likes.set(like, likeOf[place] ?? 0);
    const ofEpoch = numbers.get(`${keyPlace} ${epoch}`) ?? new Map<number, number>();
    numbers.set(`${keyPlace} ${epoch}`, ofEpoch);
    const twin = ofEpoch.get(number);
    if (twin === undefined) ofEpoch.set(number, place);
    else for (const each of [twin, place]) bits[each] = (bits[each] ?? 0) | TWIN;
  }
  return {
    input,
    timeline,
    keys: [...places.keys()],
    placeOf: new Map(batches.map((batch, place) => [batch, place])),
    keyOf,
    bits,
    likeOf,
  };
}

/** isPublished under the configuration that a batch ran. */
export function publishing(input: CountInput): (config: string, service: string) => boolean {
  const byHash = new Map(input.configs.map(({ hash, config }) => [hash, config]));
  return (config, service) => isPublished(byHash.get(config), service);
}

/** Whether a service is public in some minute of a day by the configuration in force. Of one day after the other. */
export function publicMinutes(timeline: Timeline): (minutes: MinuteRange, service: string) => boolean {
  let knownDay = -1;
  /** By service: how many minutes before this one of the day it is public in. */
  let before = new Map<string, Uint16Array>();
  const count = (day: number, service: string): Uint16Array => {
    const sums = new Uint16Array(MINUTES_PER_DAY + 1);
    const is = new Map<RuleConfig | undefined, boolean>();
    for (let minute = 0; minute < MINUTES_PER_DAY; minute += 1) {
      const config = timeline.configAt(day * MINUTES_PER_DAY + minute)?.config;
      const own = is.get(config) ?? isPublished(config, service);
      is.set(config, own);
      sums[minute + 1] = (sums[minute] ?? 0) + (own ? 1 : 0);
    }
    return sums;
  };
  return ({ first, last }, service) => {
    const day = dayOfMinute(first);
    if (day !== knownDay) [knownDay, before] = [day, new Map<string, Uint16Array>()];
    const sums = before.get(service) ?? count(day, service);
    before.set(service, sums);
    const from = first - day * MINUTES_PER_DAY;
    const to = Math.min(last - day * MINUTES_PER_DAY, MINUTES_PER_DAY - 1);
    return (sums[to + 1] ?? 0) > (sums[from] ?? 0);
  };
}
