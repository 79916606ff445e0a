/**
 * What a witness answered, as an event of its plan (C2SP tlog-witness). An answer is hostile until read: a cosignature
 * counts when it is by the key of the config, over exactly the text that was sent, and not from the future.
 */
import type { WitnessVerifier } from '@highwater/config/keys.ts';
import { decodeUtf8, parseDecimal } from '@highwater/config/proof/bytes.ts';
import { MAX_SIGNATURES, parseNote } from '@highwater/config/proof/note.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { WitnessReply } from './witness-ask.ts';
import type { Question, WitnessAnswer } from './witness-plan.ts';

/** How far a witness's clock may be ahead of ours, ms. A later time would bracket batches from the wrong side. */
export const MAX_AHEAD_MS = 86_400_000;

export interface ReadAnswer {
  readonly answer: WitnessAnswer;
  /** Of a cosignature that holds: its signature line, without line feed. */
  readonly line?: string;
  /** What was in a 200 and does not hold: to be told, since only a faulty or lying witness sends it. */
  readonly dropped: readonly string[];
}

export interface Asked extends Question {
  /** The checkpoint's text, without signatures. */
  readonly text: string;
}

export function readAnswer(
  reply: WitnessReply,
  asked: Asked,
  verifier: WitnessVerifier,
  now: Instant,
): ReadAnswer {
  if ('error' in reply) return failed(reply.error);
  switch (reply.status) {
    case 200:
      return readCosignature(reply.body, asked.text, verifier, now);
    case 409:
      return readSize(reply, asked);
    case 422:
      return { answer: { kind: 'inconsistent' }, dropped: [] };
    case 400:
      return failed('it finds our request malformed (400)');
    case 403:
      return failed("it does not accept the log's signature (403): does it have the log's key of this year?");
    case 404:
      return failed(
        "it does not know this log, or the URL is not its prefix (404): has it been given the log's key?",
      );
    case 429:
    case 503: {
      const seconds = parseDecimal(reply.retryAfter ?? '');
      const because = reply.status === 429 ? 'it is asked too often (429): set `every`' : 'it is busy (503)';
      return {
        answer: { kind: 'failed', because, ...(seconds === undefined ? {} : { waitMs: seconds * 1_000 }) },
        dropped: [],
      };
    }
    default:
      return failed(
        reply.status >= 300 && reply.status < 400
          ? `it redirects (${reply.status}), which is not followed: write the URL where it is`
          : `it answers ${reply.status}`,
      );
  }
}

function failed(because: string, dropped: readonly string[] = []): ReadAnswer {
  return { answer: { kind: 'failed', because }, dropped };
}

/** Lines of other keys are ignored, as the protocol asks: a witness may have several. */
function readCosignature(
  body: Uint8Array,
  text: string,
  verifier: WitnessVerifier,
  now: Instant,
): ReadAnswer {
  const sent = decodeUtf8(body);
  const lines = (sent ?? '').split('\n');
  // What stands behind the last line feed is no line.
  const rest = lines.pop();
  const dropped = new Set<string>();
  if (sent === undefined || rest !== '') dropped.add('what is not text in lines');
  if (lines.length > MAX_SIGNATURES) dropped.add(`lines past the first ${MAX_SIGNATURES}`);
  let good: string | undefined;
  for (const line of lines.slice(0, MAX_SIGNATURES)) {
    const parsed = parseNote(`${text}\n${line}\n`);
    const [signature] = 'error' in parsed || parsed.text !== text ? [] : parsed.signatures;
    if (!signature) {
      dropped.add('a line that is no signature');
      continue;
    }
    if (signature.name !== verifier.name || signature.keyId !== verifier.keyId) continue;
    const cosigned = verifier.verify(text, signature.bytes);
    if (!cosigned) dropped.add('a cosignature that does not fit this checkpoint');
    else if (cosigned.timeS * 1_000 > now + MAX_AHEAD_MS) dropped.add('a cosignature from the future');
    else good ??= line;
  }
  if (good !== undefined) return { answer: { kind: 'cosigned' }, line: good, dropped: [...dropped] };
  const why =
    dropped.size === 0 ? `none by the key ${verifier.name}+${verifier.keyId}` : [...dropped].join(', ');
  return failed(`it sent no cosignature that holds (200): ${why}`, [...dropped]);
}

function readSize(reply: Exclude<WitnessReply, { error: string }>, asked: Asked): ReadAnswer {
  const text = decodeUtf8(reply.body) ?? '';
  const size = text.endsWith('\n') ? parseDecimal(text.slice(0, -1)) : undefined;
  if (reply.type === 'text/x.tlog.size' && size !== undefined) {
    return { answer: { kind: 'size', size }, dropped: [] };
  }
  // With the same size and another root there is a conflict without a size to tell.
  if (asked.old === asked.size) return { answer: { kind: 'inconsistent' }, dropped: [] };
  return failed('it tells a conflict and no size (409)');
}
