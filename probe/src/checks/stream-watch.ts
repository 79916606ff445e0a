/** The long-lived subscription of a chain's blocks, by WebSocket or by long polls, folded into counts. */
import type { LastingWay, SocketLink, SocketRequest } from '@highwater/config/kinds.ts';
import { deadline, type Ending, pause } from '../deadline.ts';
import { faultError } from '../fault.ts';
import type { Place } from './ask.ts';
import { capped } from './capped.ts';
import type { PollStream, Pushed, SocketStream } from './chains/family.ts';
import type { Json } from './json.ts';
import { openRpc } from './rpc.ts';
import { askOnLink, messageOf } from './rpc-socket.ts';
import { counted, noStream, pushed, restarted, resumed, type StreamState } from './stream-fold.ts';
import { fits, play } from './websocket-script.ts';
import type { Expectation, Step } from './websocket-settings.ts';
import { type Backoff, keepUp, type KeptState, type Session, type Told } from './stream-keep.ts';

/** For making a connection and subscribing. */
const connectMs = 20_000;
/** Beyond the wait that a poll is answered in at the latest. */
const pollMarginMs = 10_000;
/** A server that answers polls at once is not asked more often than this. */
const pollPauseMs = 250;
/** More than this in so long is a server that sends without end: a head has a few kilobytes. */
const floodMessages = 1_000;
const floodBytes = 16_777_216;
const floodMs = 10_000;

export interface Seen {
  readonly stream: StreamState;
  readonly kept: KeptState;
  /** Milliseconds that never step, as those of `kept`. */
  readonly nowMs: number;
}

export interface Watch extends Disposable {
  /** What was seen; the counts begin anew. */
  read(): Seen;
  /** Told of the node's own tip: see `restarted`. */
  restart(height: number): void;
  /** As Kept.renew. */
  renew(minAgeMs: number): void;
}

/** Takes up blocks; says whether one was new. */
interface Folding {
  state: StreamState;
  take(block: Pushed): boolean;
}

function folding(sparse: boolean): Folding {
  return {
    state: noStream,
    take(block) {
      const before = this.state.counts.fresh;
      this.state = pushed(this.state, block, sparse);
      return this.state.counts.fresh > before;
    },
  };
}

export function watchSocket(
  way: LastingWay,
  request: SocketRequest,
  stream: SocketStream,
  wait?: Backoff,
): Watch {
  const fold = folding(stream.sparse ?? false);
  const session: Session = async (told, signal) => {
    const take = (message: Json): boolean => {
      const block = stream.pushed(message);
      if (block && fold.take(block)) told.moved();
      return block !== undefined;
    };
    await withLink(way, request, told, signal, async (link, making) => {
      fold.state = resumed(fold.state);
      await stream.subscribe(askOnLink(link, making, take));
      told.established();
      return (text) => void take(messageOf(text));
    });
  };
  return watching(way, fold, session, wait);
}

/** Plays the script, then waits for messages that match. */
export function watchMessages(
  way: LastingWay,
  request: SocketRequest,
  script: readonly Step[],
  matching: Expectation,
  wait?: Backoff,
): Watch {
  const session: Session = (told, signal) =>
    withLink(way, request, told, signal, async (link, making) => {
      await play(link, script, making);
      told.established();
      return (text) => {
        if (fits(text, matching)) told.moved();
      };
    });
  return watching(way, folding(true), session, wait);
}

/**
 * Opens a WebSocket, gives it to `begin` and then every message to what that returns, until it ends: rejects with why.
 */
async function withLink(
  way: LastingWay,
  request: SocketRequest,
  told: Told,
  signal: Ending,
  begin: (link: Pick<SocketLink, 'send' | 'next'>, making: Ending) => Promise<(text: string) => void>,
): Promise<never> {
  const making = deadline(connectMs, signal);
  let link: SocketLink | undefined;
  try {
    link = await way.socket(request, making);
    const each = await begin(capped(link, request.maxBytes), making);
    making.done();
    const count = floodGate(way);
    for (;;) {
      const text = await link.next(signal);
      count(text);
      each(text);
    }
  } finally {
    making.done();
    if (link?.closed) told.closed(link.closed.code);
    link?.[Symbol.dispose]();
  }
}

function floodGate(way: LastingWay): (text: string) => void {
  let sinceMs = way.monotonic();
  let messages = 0;
  let bytes = 0;
  return (text) => {
    messages += 1;
    bytes += text.length;
    if (messages <= floodMessages && bytes <= floodBytes) return;
    const nowMs = way.monotonic();
    if (nowMs - sinceMs < floodMs) {
      const what = messages > floodMessages ? `${floodMessages} messages` : `${floodBytes} bytes`;
      throw faultError('target.ws.too-large', `over ${what} in ${floodMs / 1_000} s`);
    }
    sinceMs = nowMs;
    messages = bytes = 0;
  };
}

/** Polls skip heights when several blocks come at once, so they are folded as sparse. */
export function watchPolls(way: LastingWay, place: Place, stream: PollStream, wait?: Backoff): Watch {
  const fold = folding(true);
  const session: Session = async (told, signal) => {
    for (;;) {
      const limit = deadline(stream.maxWaitMs + pollMarginMs, signal);
      try {
        const exchange = (request: Parameters<LastingWay['exchange']>[0]) => way.exchange(request, limit);
        const block = await stream.next(openRpc({ exchange }, place), fold.state.tip?.height ?? 0);
        told.established();
        if (block && fold.take(block)) told.moved();
      } finally {
        limit.done();
      }
      await pause(pollPauseMs, signal);
      signal.throwIfAborted();
    }
  };
  return watching(way, fold, session, wait);
}

function watching(way: LastingWay, fold: Folding, session: Session, wait?: Backoff): Watch {
  const kept = keepUp(way, session, wait);
  return {
    read() {
      const seen = { stream: fold.state, kept: kept.read(), nowMs: way.monotonic() };
      fold.state = counted(fold.state);
      return seen;
    },
    restart(height) {
      fold.state = restarted(fold.state, height);
    },
    renew: (minAgeMs) => kept.renew(minAgeMs),
    [Symbol.dispose]: () => kept[Symbol.dispose](),
  };
}
