/** One case: the contenders, ours first, each in turn, run after run. */
import { type Figure, median, rounded } from '../bench.ts';
import type { Contender } from './contender.ts';
import type { Target } from './target.ts';

export interface Case {
  readonly name: string;
  /** Checks in one run of one contender. */
  readonly checks: number;
  /** Ours first. */
  start(target: Target): Promise<readonly [Contender, ...Contender[]]>;
}

/** Before anything is counted, so that what is compiled on use is compiled. */
const warmUps = 2;

/** Ratios are those of one round, in which all had the same neighbours; their median is told. */
export async function* runCase(its: Case, target: Target, runs: number): AsyncIterable<Figure> {
  await using stack = new AsyncDisposableStack();
  const { name, checks } = its;
  const contenders = await its.start(target);
  for (const each of contenders) stack.use(each);
  const [ours, ...peers] = contenders;
  const costs = new Map(contenders.map((each): [Contender, number[]] => [each, []]));
  for (let run = -warmUps; run < runs; run += 1) {
    for (const each of contenders) {
      const cost = (await each.run(checks)) / checks;
      if (run >= 0) costs.get(each)?.push(cost);
    }
  }
  const own = costs.get(ours) ?? [];
  for (const peer of peers) {
    const ratios = costs.get(peer)?.map((cost, run) => (own[run] ?? NaN) / cost) ?? [];
    yield {
      bench: 'checks',
      case: name,
      against: `${peer.name} (${rounded(median(costs.get(peer) ?? []))})`,
      ratio: rounded(median(ratios)),
      value: rounded(median(own)),
      unit: 'us CPU per check',
      runs,
    };
  }
}
