/** What is sent and what must come, for WebSockets whose protocol the operator knows. */
import type { CheckContext, SocketLink } from '@highwater/config/kinds.ts';
import { formatDuration } from '@highwater/config/time.ts';
import { deadline, type Ending } from '../deadline.ts';
import { faultError } from '../fault.ts';
import { excerpt, isRecord, type Json, jsonText, readJson, sameJson, shown, valueAt } from './json.ts';
import type { Expectation, Step } from './websocket-settings.ts';

/** Messages that are no answer, while one is waited for. */
const maxSkipped = 1_000;

/**
 * Plays one step after the other. Throws FaultError `target.ws.unexpected` for an answer that is another or does not
 * come in time.
 */
export async function play(
  link: Pick<SocketLink, 'send' | 'next'>,
  script: readonly Step[],
  signal: Ending,
  asserted?: CheckContext['asserted'],
): Promise<void> {
  for (const [index, step] of script.entries()) {
    const { send } = step;
    link.send(typeof send === 'string' ? send : jsonText(send));
    if (!step.expect) continue;
    const what = asserted && `step ${index + 1} is answered with ${wish(step.expect)}`;
    try {
      await expected(link, step, step.expect, index + 1, signal);
      if (what !== undefined) asserted?.({ what, held: true });
    } catch (thrown) {
      if (what !== undefined) asserted?.({ what, held: false });
      throw thrown;
    }
  }
}

async function expected(
  link: Pick<SocketLink, 'next'>,
  { send, within }: Step,
  wanted: Expectation,
  number: number,
  signal: Ending,
): Promise<void> {
  const limit = deadline(within, signal);
  const id = idOf(send);
  let last: string | undefined;
  const odd = (what: string) =>
    faultError('target.ws.unexpected', `step ${number}: expected ${wish(wanted)}, ${what}`);
  try {
    for (let skipped = 0; skipped <= maxSkipped; skipped += 1) {
      const text = await link.next(limit);
      const isAnswer = id === undefined || sameJson(idIn(text), id);
      if (isAnswer && fits(text, wanted)) return;
      last = text;
      if (id !== undefined && isAnswer) throw odd(`came ${excerpt(text)}`);
    }
    throw faultError('target.ws.too-large', `over ${maxSkipped} messages before the answer`);
  } catch (thrown) {
    // The step's own limit, not that of the whole check.
    if (limit.passed() && !signal.aborted) {
      throw odd(
        `within ${formatDuration(within)} ${last === undefined ? 'nothing came' : `came ${excerpt(last)}`}`,
      );
    }
    throw thrown;
  } finally {
    limit.done();
  }
}

function idOf(send: unknown): Json | undefined {
  const value = typeof send === 'string' ? jsonOf(send) : (send as Json);
  return isRecord(value) && Object.hasOwn(value, 'id') ? value['id'] : undefined;
}

function idIn(text: string): Json | undefined {
  return idOf(text);
}

/** Undefined for what is no JSON. Throws FaultError `target.ws.too-large`. */
function jsonOf(text: string): Json | undefined {
  const read = readJson(text);
  if ('because' in read && read.isTooLarge) throw faultError('target.ws.too-large', read.because);
  return 'value' in read ? read.value : undefined;
}

/** Whether a message is what was expected. */
export function fits(text: string, { contains, path = '', equals }: Expectation): boolean {
  if (contains !== undefined) return text.includes(contains);
  const value = jsonOf(text);
  if (value === undefined) return false;
  const found = valueAt(value, path);
  return equals === undefined ? found !== undefined : sameJson(found, equals);
}

function wish({ contains, path = '', equals }: Expectation): string {
  if (contains !== undefined) return excerpt(contains);
  const place = path === '' ? 'the message' : path;
  return equals === undefined ? place : `${place} to be ${shown(equals)}`;
}
