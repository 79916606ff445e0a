/**
 * Asks the declared controls, and only when something failed: at most once in two seconds whatever fails, and
 * everything that failed in that round shares the answer.
 */
import { isIP } from 'node:net';
import { FaultError } from '@highwater/config/kinds.ts';
import { openTcp } from './io/connect.ts';
import { openWay } from './io/exchange.ts';
import type { Outside } from './io/outside.ts';
import { refusal } from './io/reach.ts';
import { hostOf, portOf } from './io/url.ts';
import type { ControlReport, Family } from './self.ts';

export interface Controls {
  /** What the controls say in the round of a check that began at `since` (monotonic ms). */
  ask(since: number): Promise<readonly ControlReport[]>;
}

const controlTimeoutMs = 2_000;
const minPauseMs = 2_000;

export function makeControls(declared: readonly string[], outside: Outside): Controls {
  let askedAt = -Infinity;
  let round: Promise<readonly ControlReport[]> = Promise.resolve([]);
  return {
    ask(since) {
      if (declared.length === 0) return Promise.resolve([]);
      const now = outside.monotonic();
      // An answer from while the check ran is of its round; so is one so recent that asking again is too soon.
      if (askedAt >= since || now - askedAt < minPauseMs) return round;
      askedAt = now;
      round = Promise.all(declared.map((control) => askOne(control, outside)));
      return round;
    },
  };
}

/** Any answer will do: a status of 500 has crossed the network as well as one of 200. */
async function askOne(control: string, outside: Outside): Promise<ControlReport> {
  const url = new URL(control);
  const host = hostOf(url);
  const named = isIP(host) === 0;
  const signal = AbortSignal.timeout(controlTimeoutMs);
  const familyOf = (address: string | undefined): Family =>
    address === undefined ? 'name' : isIP(address) === 6 ? '6' : '4';
  if (url.protocol === 'tcp:') {
    let address: string | undefined;
    try {
      [address] = await outside.resolve(host);
      const refused = refusal(address ?? '', true, outside.consent);
      if (refused !== undefined) throw new Error(refused);
      (await openTcp(address ?? '', portOf(url), signal)).destroy();
      return { control, named, family: familyOf(address), failed: false };
    } catch {
      return { control, named, family: familyOf(address), failed: true };
    }
  }
  const way = openWay({ url: control, allowPrivate: true, headers: {} }, outside, signal);
  try {
    await way.exchange({ method: 'HEAD', redirectIsAnswer: true });
    return { control, named, family: familyOf(way.address), failed: false };
  } catch (thrown) {
    const reached = thrown instanceof FaultError && thrown.fault.operation === 'http' && !isSilence(thrown);
    return { control, named, family: familyOf(way.address), failed: !reached };
  } finally {
    way.close();
  }
}

function isSilence({ fault }: FaultError): boolean {
  return fault.code === 'timeout' || fault.code === 'reset';
}
