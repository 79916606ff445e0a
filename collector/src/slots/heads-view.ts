/** The view `heads`, by hour: how high each node and reference was, minute by minute, as each probe saw it. */
import { signerOfKey } from '../signer.ts';
import type { ReadTx } from '../store/store.ts';
import type { Blocks } from './blocks.ts';
import {
  decodeHeads,
  encodeHeads,
  type HourOfHeads,
  MAX_HEIGHT,
  MINUTES_AN_HOUR,
  withHeight,
  withoutHeight,
} from './heads-block.ts';
import type { LineView } from './line-view.ts';
import type { SeenLine } from './lines.ts';

/** Hours of nodes that are open at once; what comes beyond makes that all are written, and read again when needed. */
const MAX_OPEN = 50_000;

interface Open {
  readonly hour: number;
  readonly node: string;
  readonly byKey: Map<string, HourOfHeads>;
  isChanged: boolean;
}

const ZERO = 48;

/** The height that an answer reports; undefined for one that has none, or is none. */
function heightOf({ outcome, facts }: SeenLine): number | undefined {
  if (outcome !== 'ok' && outcome !== 'degraded') return undefined;
  const at = facts.startsWith('h=') ? 2 : facts.indexOf(' h=') + 3;
  if (at === 2 && !facts.startsWith('h=')) return undefined;
  // Read where it stands: of nearly every line, which was checked when it was taken in.
  let height = 0;
  for (let i = at; i < facts.length; i += 1) {
    const digit = facts.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) break;
    height = height * 10 + digit;
  }
  return height <= MAX_HEIGHT ? height : undefined;
}

const nodeOf = (monitor: string): string => monitor.slice(0, monitor.lastIndexOf('/'));

export function openHeadsView(maxOpen = MAX_OPEN): LineView {
  const open = new Map<string, Open>();
  /** The same by hour and monitor: one look for each line. */
  const places = new Map<number, Map<string, Open>>();
  let newestHour = -Infinity;

  const load = async (tx: ReadTx, blocks: Blocks, hour: number, node: string): Promise<Open> => {
    const id = `${hour} ${node}`;
    const known = open.get(id);
    if (known !== undefined) return known;
    const block = await blocks.get(tx, 'heads', hour, node);
    const byKey = block === undefined ? new Map<string, HourOfHeads>() : decodeHeads(block);
    const made = { hour, node, byKey, isChanged: false };
    open.set(id, made);
    return made;
  };

  /** The lines' heights of a minute are taken out, or put in; all nodes were loaded. */
  const change = (
    known: ReadonlyMap<string, Open>,
    signer: string,
    minute: number,
    lines: readonly SeenLine[],
    make: typeof withHeight | typeof withoutHeight,
  ): void => {
    for (const line of lines) {
      const height = heightOf(line);
      const own = height === undefined ? undefined : known.get(line.monitor);
      if (height === undefined || own === undefined) continue;
      let hour = own.byKey.get(signer);
      if (hour === undefined) own.byKey.set(signer, (hour = []));
      hour[minute] = make(hour[minute], height);
      own.isChanged = true;
    }
  };

  const encode = (blocks: Blocks, subject: string | undefined): void => {
    for (const each of open.values()) {
      if (!each.isChanged || (subject !== undefined && each.node !== subject)) continue;
      blocks.set('heads', each.hour, each.node, encodeHeads(each.byKey));
      each.isChanged = false;
    }
  };

  const close = (blocks: Blocks, oldestHour: number): void => {
    encode(blocks, undefined);
    for (const [id, each] of open) if (each.hour < oldestHour) open.delete(id);
    for (const hour of places.keys()) if (hour < oldestHour) places.delete(hour);
  };

  return {
    apply(tx, blocks, { key, minute, before, after }) {
      const hour = Math.floor(minute / MINUTES_AN_HOUR);
      newestHour = Math.max(newestHour, hour);
      if (open.size > maxOpen) close(blocks, Infinity);
      const known = places.get(hour) ?? new Map<string, Open>();
      const missing = new Set<string>();
      for (const lines of [before, after]) {
        for (const line of lines) {
          if (!known.has(line.monitor) && heightOf(line) !== undefined) missing.add(line.monitor);
        }
      }
      const put = (): void => {
        const [signer, at] = [signerOfKey(key), minute % MINUTES_AN_HOUR];
        change(known, signer, at, before, withoutHeight);
        change(known, signer, at, after, withHeight);
      };
      if (missing.size === 0) {
        put();
        return;
      }
      places.set(hour, known);
      return (async () => {
        for (const monitor of missing) known.set(monitor, await load(tx, blocks, hour, nodeOf(monitor)));
        put();
      })();
    },
    close: (blocks, only) => {
      if (only === undefined) close(blocks, newestHour - 1);
      else if (only.view === 'heads') encode(blocks, only.subject);
    },
    forget: () => {
      open.clear();
      places.clear();
    },
  };
}
