/**
 * The lines that all benches measure with: fixed by their seed, and alike what probes of a chain's nodes send. Latencies
 * are log-normal and wander (AR(1), sigma 0.25 of the logarithm, 0.8 of the last one stays), about 40 to 400 ms by
 * monitor; answers are late by the size of a normal of 3 ms; 1 % fail; all others tell the head of a chain with a block
 * each 3 s. Noise that compresses worse than what real nodes say, rather than better.
 */

/** Of the logarithm of a latency. */
const SIGMA = 0.25;
const STAYS = 0.8;
const LATE_MS = 3;
const FAILS = 0.01;
const BLOCK_MS = 3_000;
/** A block is known at a node after so long, ms: this, and about as much again. */
const SPREAD_MS = 200;

export interface ObservationOptions {
  readonly seed: number;
  /** Who looks: another one sees other latencies of the same chain. */
  readonly probe: string;
  /** In whole milliseconds, or as they are measured: in tenths. */
  readonly latency: 'ms' | 'tenths';
  /** Height, block id and block time of the newest block; on unless it is said. */
  readonly heads?: boolean;
  /** The five phases `p`. */
  readonly phases?: boolean;
  /** Methods of which each line tells the latency, `m.ID`. */
  readonly methods?: readonly string[];
}

/** The line of a monitor at a due time, without LF. What it says depends on the monitor's own lines before alone. */
export type Observe = (monitor: string, dueAt: number) => string;

interface Wandering {
  readonly random: () => number;
  readonly normal: () => number;
  /** Of the latencies' logarithm. */
  readonly middle: number;
  away: number;
}

export function observing(options: ObservationOptions): Observe {
  const { seed, probe, latency, heads = true, phases = false, methods = [] } = options;
  const known = new Map<string, Wandering>();
  const chain = mixed(seed);
  const of = (monitor: string): Wandering => {
    const found = known.get(monitor);
    if (found !== undefined) return found;
    const random = randomFrom(mixed(seed ^ mixedText(`${monitor} ${probe}`)));
    const made = { random, normal: normals(random), middle: Math.log(400 + 3_600 * random() ** 2), away: 0 };
    made.away = SIGMA * made.normal();
    known.set(monitor, made);
    return made;
  };
  const tenthsOf = (value: number): number =>
    latency === 'ms' ? Math.max(1, Math.round(value / 10)) * 10 : Math.max(1, Math.round(value));
  return (monitor, dueAt) => {
    const it = of(monitor);
    it.away = STAYS * it.away + Math.sqrt(1 - STAYS ** 2) * SIGMA * it.normal();
    const tenths = tenthsOf(Math.exp(it.middle + it.away));
    const lateMs = Math.round(Math.abs(it.normal()) * LATE_MS);
    const late = lateMs === 0 ? '' : ` late=${lateMs}`;
    if (it.random() < FAILS) return `${monitor} ${dueAt} fail ${tenths} target.http.status${late} sc=503`;
    const seenAt = dueAt + lateMs + tenths / 10 - SPREAD_MS * (1 + it.random());
    const more = methods.map((id) => ` m.${id}=${tenthsOf(tenths * (0.7 + 0.6 * it.random()))}`).join('');
    const head = heads ? headAt(chain, Math.floor(seenAt / BLOCK_MS)) : '';
    return `${monitor} ${dueAt} ok ${tenths} -${head}${late}${more}${phases ? phasesOf(tenths) : ''}`;
  };
}

function headAt(chain: number, height: number): string {
  const id = (mixed(chain ^ height) >>> 0).toString(16).padStart(8, '0');
  return ` bt=${height * BLOCK_MS} h=${height} id=${id}`;
}

/** Of a connection that was made anew: a tenth each to resolve and connect, and so on. */
function phasesOf(tenths: number): string {
  const [resolve, connect, tls] = [tenths >> 5, tenths >> 3, tenths >> 2];
  const transfer = tenths >> 4;
  return ` p=${resolve},${connect},${tls},${tenths - resolve - connect - tls - transfer},${transfer}`;
}

/** mulberry32. */
export function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    return (mixed(state) >>> 0) / 4_294_967_296;
  };
}

/** Standard normal numbers (Box and Muller), two at a time. */
function normals(random: () => number): () => number {
  let other: number | undefined;
  return () => {
    if (other !== undefined) {
      const value = other;
      other = undefined;
      return value;
    }
    const [size, angle] = [Math.sqrt(-2 * Math.log(1 - random())), 2 * Math.PI * random()];
    other = size * Math.sin(angle);
    return size * Math.cos(angle);
  };
}

function mixed(state: number): number {
  let value = Math.imul(state ^ (state >>> 15), 1 | state);
  value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
  return value ^ (value >>> 14);
}

/** FNV-1a of ASCII. */
function mixedText(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value | 0;
}
