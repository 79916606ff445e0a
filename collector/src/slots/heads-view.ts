/** The view `heads`, by hour: how high each node and reference was, minute by minute, as each probe saw it. */
import { HOUR_MS, MINUTE_MS } from '@highwater/config/time.ts';
import { signerOfKey } from '../signer.ts';
import type { ReadTx } from '../store/store.ts';
import type { Blocks } from './blocks.ts';
import {
  decodeHeads,
  emptyHour,
  encodeHeads,
  type HourOfHeads,
  MAX_HEIGHT,
  NO_HEIGHT,
} from './heads-block.ts';
import type { LineView } from './line-view.ts';
import type { SeenLine } from './lines.ts';

const MINUTES_AN_HOUR = HOUR_MS / MINUTE_MS;
/** Hours of nodes that are open at once; what comes beyond makes that all are written, and read again when needed. */
const MAX_OPEN = 50_000;

interface Open {
  readonly hour: number;
  readonly node: string;
  readonly byKey: Map<string, HourOfHeads>;
  isChanged: boolean;
}

/** The height that an answer reports; undefined for one that has none, or is none. */
function heightOf({ outcome, facts }: SeenLine): number | undefined {
  if (outcome !== 'ok' && outcome !== 'degraded') return undefined;
  const at = facts.startsWith('h=') ? 2 : facts.indexOf(' h=') + 3;
  if (at === 2 && !facts.startsWith('h=')) return undefined;
  const end = facts.indexOf(' ', at);
  const height = Number(facts.slice(at, end === -1 ? undefined : end));
  return height <= MAX_HEIGHT ? height : undefined;
}

/** By node the highest of them; a node of which none has a height is left out. */
function highestOf(lines: readonly SeenLine[]): Map<string, number> {
  const highest = new Map<string, number>();
  for (const line of lines) {
    const height = heightOf(line);
    if (height === undefined) continue;
    const node = line.monitor.slice(0, line.monitor.lastIndexOf('/'));
    highest.set(node, Math.max(height, highest.get(node) ?? NO_HEIGHT));
  }
  return highest;
}

export function openHeadsView(maxOpen = MAX_OPEN): LineView {
  const open = new Map<string, Open>();
  let newestHour = -Infinity;

  const load = async (tx: ReadTx, blocks: Blocks, hour: number, node: string): Promise<void> => {
    const block = await blocks.get(tx, 'heads', hour, node);
    const byKey = block === undefined ? new Map<string, HourOfHeads>() : decodeHeads(block);
    open.set(`${hour} ${node}`, { hour, node, byKey, isChanged: false });
  };

  const put = (hour: number, node: string, key: string, minute: number, height: number): void => {
    const own = open.get(`${hour} ${node}`);
    // All were loaded.
    if (own === undefined) return;
    const heights = own.byKey.get(key) ?? emptyHour();
    own.byKey.set(key, heights);
    heights[minute] = height;
    own.isChanged = true;
  };

  const close = (blocks: Blocks, oldestHour: number): void => {
    for (const [id, each] of open) {
      if (each.isChanged) blocks.set('heads', each.hour, each.node, encodeHeads(each.byKey));
      each.isChanged = false;
      if (each.hour < oldestHour) open.delete(id);
    }
  };

  return {
    apply(tx, blocks, { key, minute, before, after }) {
      const [had, has] = [highestOf(before), highestOf(after)];
      if (had.size === 0 && has.size === 0) return;
      const hour = Math.floor(minute / MINUTES_AN_HOUR);
      newestHour = Math.max(newestHour, hour);
      if (open.size > maxOpen) close(blocks, Infinity);
      const nodes = new Set([...had.keys(), ...has.keys()]);
      const missing = [...nodes].filter((node) => !open.has(`${hour} ${node}`));
      const change = (): void => {
        for (const node of nodes) {
          put(hour, node, signerOfKey(key), minute % MINUTES_AN_HOUR, has.get(node) ?? NO_HEIGHT);
        }
      };
      if (missing.length === 0) {
        change();
        return;
      }
      return (async () => {
        for (const node of missing) await load(tx, blocks, hour, node);
        change();
      })();
    },
    close: (blocks) => {
      close(blocks, newestHour - 1);
    },
    forget: () => {
      open.clear();
    },
  };
}
