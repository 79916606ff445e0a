/** Messages between where they arrive and where they are waited for: in order, bounded, with an end. */
import type { Ending } from '../deadline.ts';
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
  take(signal: Ending): Promise<string>;
}

interface Waiter {
  give(text: string): void;
  fail(because: Error): void;
}

export function inbox(maxMessages: number, maxBytes: number): Inbox {
  return new Queue(maxMessages, maxBytes);
}

class Queue implements Inbox {
  ended: Error | undefined;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #queue: { readonly text: string; readonly bytes: number }[] = [];
  readonly #waiting = new Set<Waiter>();
  #queuedBytes = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  put(text: string, bytes: number): boolean {
    if (this.ended) return true;
    const [first] = this.#waiting;
    if (first) {
      first.give(text);
      return true;
    }
    if (this.#queue.length >= this.#maxMessages || this.#queuedBytes + bytes > this.#maxBytes) return false;
    this.#queuedBytes += bytes;
    this.#queue.push({ text, bytes });
    return true;
  }

  end(because: Error): void {
    this.ended ??= because;
    for (const waiter of this.#waiting) waiter.fail(this.ended);
  }

  take(signal: Ending): Promise<string> {
    const first = this.#queue.shift();
    if (first) {
      this.#queuedBytes -= first.bytes;
      return Promise.resolve(first.text);
    }
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', aborted);
        act();
      };
      const waiter: Waiter = {
        give: (text) => settle(() => resolve(text)),
        fail: (because) => settle(() => reject(because)),
      };
      const aborted = () => waiter.fail(endOf(signal));
      this.#waiting.add(waiter);
      if (signal.aborted) aborted();
      else signal.addEventListener('abort', aborted, { once: true });
    });
  }
}

/** Past the deadline the target is at fault; when the program ends nobody is. */
function endOf(signal: Ending): Error {
  return isTimeout(signal.reason) ? faultError('target.ws.timeout') : asError(signal.reason);
}
