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

/** The height that an answer reports; undefined for one that has none, or is none. */
function heightOf({ outcome, facts }: SeenLine): number | undefined {
  if (outcome !== 'ok' && outcome !== 'degraded') return undefined;
  const at = facts.startsWith('h=') ? 2 : facts.indexOf(' h=') + 3;
  if (at === 2 && !facts.startsWith('h=')) return undefined;
  const end = facts.indexOf(' ', at);
  const height = Number(facts.slice(at, end === -1 ? undefined : end));
  return height <= MAX_HEIGHT ? height : undefined;
}

const nodeOf = (monitor: string): string => monitor.slice(0, monitor.lastIndexOf('/'));

interface Reported {
  readonly node: string;
  readonly height: number;
}

function reportedBy(lines: readonly SeenLine[]): Reported[] {
  return lines.flatMap((line) => {
    const height = heightOf(line);
    return height === undefined ? [] : [{ node: nodeOf(line.monitor), height }];
  });
}

export function openHeadsView(maxOpen = MAX_OPEN): LineView {
  const open = new Map<string, Open>();
  let newestHour = -Infinity;

  const load = async (tx: ReadTx, blocks: Blocks, hour: number, node: string): Promise<void> => {
    const block = await blocks.get(tx, 'heads', hour, node);
    const byKey = block === undefined ? new Map<string, HourOfHeads>() : decodeHeads(block);
    open.set(`${hour} ${node}`, { hour, node, byKey, isChanged: false });
  };

  /** The minute's heights of a key, to be replaced; all nodes were loaded. */
  const change = (
    id: string,
    key: string,
    minute: number,
    make: (heights: readonly number[] | undefined) => readonly number[] | undefined,
  ): void => {
    const own = open.get(id);
    if (own === undefined) return;
    const hour = own.byKey.get(key) ?? [];
    own.byKey.set(key, hour);
    hour[minute] = make(hour[minute]);
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
      const [had, has] = [reportedBy(before), reportedBy(after)];
      if (had.length === 0 && has.length === 0) return;
      const hour = Math.floor(minute / MINUTES_AN_HOUR);
      newestHour = Math.max(newestHour, hour);
      if (open.size > maxOpen) close(blocks, Infinity);
      const missing = [...had, ...has].filter(({ node }) => !open.has(`${hour} ${node}`));
      const put = (): void => {
        const [by, at] = [signerOfKey(key), minute % MINUTES_AN_HOUR];
        for (const { node, height } of had) {
          change(`${hour} ${node}`, by, at, (heights) => withoutHeight(heights, height));
        }
        for (const { node, height } of has) {
          change(`${hour} ${node}`, by, at, (heights) => withHeight(heights, height));
        }
      };
      if (missing.length === 0) {
        put();
        return;
      }
      return (async () => {
        for (const node of new Set(missing.map((each) => each.node))) await load(tx, blocks, hour, node);
        put();
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
