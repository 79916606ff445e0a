/** Many at a time: what takes long does not hold up the others. */
import type { Call } from './asked.ts';

export const inFlight = 64;

/** Makes so many calls, at most `inFlight` at a time. Rejects with the first that fails. */
export async function callMany(call: Call, calls: number): Promise<void> {
  let left = calls;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
}
