/**
 * Asks the declared controls: one with a name over IPv4 and over IPv6 apart, so that an outage of one family on the
 * probe's side excuses nothing of the other; an address in its own. When something failed, at most once in two seconds
 * whatever fails, and everything that fails within these shares the answer; and once a minute in any case
 * (control-watch.ts).
 */
import { isIP } from 'node:net';
import type { Fault } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { openTcp } from './io/connect.ts';
import { raced } from './io/dial.ts';
import { openWay } from './io/exchange.ts';
import type { Outside } from './io/outside.ts';
import { refusal } from './io/reach.ts';
import { hostOf, portOf } from './io/url.ts';
import type { ControlReport } from './self.ts';

export interface Controls {
  /** What the controls say now, or were asked less than two seconds ago. */
  ask(): Promise<readonly ControlReport[]>;
}

const controlTimeoutMs = 2_000;
const minPauseMs = 2_000;

export function makeControls(declared: readonly string[], outside: Outside): Controls {
  let askedAt = -Infinity;
  let round: Promise<readonly ControlReport[]> = Promise.resolve([]);
  return {
    ask() {
      if (declared.length === 0) return Promise.resolve([]);
      const now = outside.monotonic();
      // No older answer will do, also of a check that ran longer: the network may have gone while it did.
      if (now - askedAt < minPauseMs) return round;
      askedAt = now;
      round = Promise.all(declared.map((control) => askOne(control, outside))).then((all) => all.flat());
      return round;
    },
  };
}

async function askOne(control: string, outside: Outside): Promise<ControlReport[]> {
  const url = new URL(control);
  const host = hostOf(url);
  const literal = isIP(host);
  const signal = AbortSignal.timeout(controlTimeoutMs);
  const over = async (family: 4 | 6, address: string): Promise<ControlReport> => {
    const named = literal === 0;
    const failed = !(await answers(url, address, outside, signal));
    return { control, named, family: family === 4 ? '4' : '6', failed };
  };
  if (literal !== 0) return [await over(literal === 6 ? 6 : 4, host)];
  const families = await Promise.all(
    ([4, 6] as const).map(async (family) => {
      const address = await addressOf(host, family, outside, signal);
      return address === undefined ? undefined : over(family, address);
    }),
  );
  const asked = families.filter((report) => report !== undefined);
  if (asked.length > 0) return asked;
  return [{ control, named: true, family: 'name', failed: true }];
}

/** Undefined where the name has none of that family, or nobody could tell. */
async function addressOf(
  host: string,
  family: 4 | 6,
  outside: Outside,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await raced(outside.resolve(host, family), signal))[0];
  } catch {
    return undefined;
  }
}

/** Any answer will do: a status of 500 has crossed the network as well as one of 200. */
async function answers(url: URL, address: string, outside: Outside, signal: AbortSignal): Promise<boolean> {
  if (url.protocol === 'tcp:') {
    if (refusal(address, true, outside.consent) !== undefined) return false;
    try {
      (await openTcp(address, portOf(url), signal)).destroy();
      return true;
    } catch {
      return false;
    }
  }
  const way = openWay({ url: url.href, address, allowPrivate: true, headers: {} }, outside, signal);
  try {
    await way.exchange({ method: 'HEAD', redirectIsAnswer: true });
    return true;
  } catch (thrown) {
    return thrown instanceof FaultError && hasCrossed(thrown.fault);
  } finally {
    way.close();
  }
}

/** A certificate that is out of date is theirs, or our clock's; one for another name may be of who is in between. */
function hasCrossed({ operation, code }: Fault): boolean {
  if (operation === 'tls') return code === 'expired' || code === 'not-yet-valid';
  return operation === 'http' && code !== 'timeout' && code !== 'reset';
}
