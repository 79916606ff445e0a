/**
 * CPU of one whole check on a fresh connection, 64 in flight, against others that ask the same. All are processes of
 * their own and take turns; the target is another.
 */
import type { Bench } from './bench.ts';
import { runCase } from './checks/case.ts';
import { httpCases } from './checks/http-cases.ts';
import { socketCases } from './checks/socket-cases.ts';
import { startTarget } from './checks/target.ts';
import { tcpCases } from './checks/tcp-cases.ts';

const runs = 7;
const cases = [...httpCases, ...tcpCases, ...socketCases];

export const bench: Bench = async function* (only) {
  using target = await startTarget();
  for (const each of cases) {
    if (only === undefined || only === each.name) yield* runCase(each, target, runs);
  }
};
