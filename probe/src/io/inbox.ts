/** Messages between where they arrive and where they are waited for: in order, bounded, with an end. */
import { faultError, isTimeout } from '../fault.ts';
import { asError } from './outside.ts';

export interface Inbox {
  /** Why there will be no more; set at once, although what came before is still given out. */
  readonly ended: Error | undefined;
  /** False: it is full, and the message was not taken. */
  put(text: string, bytes: number): boolean;
  /** The first call counts. */
  end(because: Error): void;
  /** The next message. Rejects with `target.ws.timeout` at a deadline, and with why there will be none. */
  take(signal: AbortSignal): Promise<string>;
}

interface Waiter {
  give(text: string): void;
  fail(because: Error): void;
}

export function inbox(maxMessages: number, maxBytes: number): Inbox {
  const queue: { readonly text: string; readonly bytes: number }[] = [];
  const waiting = new Set<Waiter>();
  let queuedBytes = 0;
  let ended: Error | undefined;
  return {
    get ended() {
      return ended;
    },
    put(text, bytes) {
      if (ended) return true;
      const [first] = waiting;
      if (first) {
        first.give(text);
        return true;
      }
      if (queue.length >= maxMessages || queuedBytes + bytes > maxBytes) return false;
      queuedBytes += bytes;
      queue.push({ text, bytes });
      return true;
    },
    end(because) {
      ended ??= because;
      for (const waiter of waiting) waiter.fail(ended);
    },
    take(signal) {
      const first = queue.shift();
      if (first) {
        queuedBytes -= first.bytes;
        return Promise.resolve(first.text);
      }
      if (ended) return Promise.reject(ended);
      return new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          waiting.delete(waiter);
          signal.removeEventListener('abort', aborted);
          act();
        };
        const waiter: Waiter = {
          give: (text) => settle(() => resolve(text)),
          fail: (because) => settle(() => reject(because)),
        };
        const aborted = () => waiter.fail(endOf(signal));
        waiting.add(waiter);
        if (signal.aborted) aborted();
        else signal.addEventListener('abort', aborted, { once: true });
      });
    },
  };
}

/** Past the deadline the target is at fault; when the program ends nobody is. */
function endOf(signal: AbortSignal): Error {
  return isTimeout(signal.reason) ? faultError('target.ws.timeout') : asError(signal.reason);
}
