/**
 * Servers tell what they were sent: in a header, in an error's text, as JSON. The values of a target's secrets are
 * taken out of what comes from it as it comes in, before a check cuts, compares or keeps any of it; a target without
 * secrets has no echoes and pays nothing. A secret that stands in each answer by chance would change what is read: it
 * is for the operator to have one that can't be guessed.
 */
import type { Fault } from '@highwater/config/faults.ts';
import {
  type ByteLink,
  type CheckContext,
  type ExchangeAnswer,
  FaultError,
  type Reading,
  type SocketLink,
} from '@highwater/config/kinds.ts';
import type { Secret } from '@highwater/config/secrets.ts';
import type { OpenTarget } from './io/outside.ts';

const hidden = '[redacted]';
/** Shorter ones stand in many texts: they are taken out only where they are the whole of it. */
const shortestWithin = 6;
/** Of a value that was cut, so many first characters give it away. */
const shortestCut = 4;

/** The capabilities of one target, whose secrets do not come back by them. */
export interface Echoes {
  /** What a check is given, in its place. */
  around(ctx: CheckContext): CheckContext;
  answered(run: () => Promise<ExchangeAnswer>): Promise<ExchangeAnswer>;
  opened(run: () => Promise<SocketLink>): Promise<SocketLink>;
  /** What a check made of it all, once more: it may have put together what came in pieces. */
  reading(read: Reading): Reading;
}

/** Undefined for a target without secrets. */
export function echoesOf(target: OpenTarget): Echoes | undefined {
  const secrets = Object.values(target.headers).filter((value) => typeof value !== 'string');
  return secrets.length === 0 ? undefined : echoes(textHider(secrets));
}

type Hide = (text: string) => string;

function echoes(hide: Hide): Echoes {
  const faultOf = (found: Fault): Fault =>
    found.detail === undefined ? found : { ...found, detail: hide(found.detail) };
  const withoutThem = (thrown: unknown): unknown =>
    thrown instanceof FaultError ? new FaultError(faultOf(thrown.fault), thrown.phases) : thrown;
  const run = async <T>(asked: () => Promise<T>, told: (answer: T) => T): Promise<T> => {
    try {
      return told(await asked());
    } catch (thrown) {
      throw withoutThem(thrown);
    }
  };
  const each = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, hide(value)]));
  const answered: Echoes['answered'] = (asked) =>
    run(asked, (answer) => ({ ...answer, headers: each(answer.headers), body: hide(answer.body) }));
  const opened: Echoes['opened'] = (asked) =>
    run(asked, (link) => ({
      phases: link.phases,
      protocol: hide(link.protocol),
      address: link.address,
      ...(link.certExpiresAt === undefined ? {} : { certExpiresAt: link.certExpiresAt }),
      get closed() {
        return link.closed && { ...link.closed, reason: hide(link.closed.reason) };
      },
      send: (text) => link.send(text),
      next: (signal) => run(() => link.next(signal), hide),
      [Symbol.dispose]: () => link[Symbol.dispose](),
    }));
  const connected = (asked: () => Promise<ByteLink>) =>
    run(asked, (link) => ({
      get phases() {
        return link.phases;
      },
      address: link.address,
      ...(link.certExpiresAt === undefined ? {} : { certExpiresAt: link.certExpiresAt }),
      send: (text) => link.send(text),
      next: () =>
        run(
          () => link.next(),
          (bytes) => bytes && hiddenBytes(bytes, hide),
        ),
      [Symbol.dispose]: () => link[Symbol.dispose](),
    }));
  return {
    answered,
    opened,
    around: (ctx) => ({
      ...ctx,
      exchange: (request) => answered(() => ctx.exchange(request)),
      socket: (request) => opened(() => ctx.socket(request)),
      connect: (request) => connected(() => ctx.connect(request)),
    }),
    reading: (read) => ({
      ...read,
      ...(read.fault ? { fault: faultOf(read.fault) } : {}),
      ...(read.facts ? { facts: each(read.facts) } : {}),
    }),
  };
}

/** Bytes that are no text come through as they are. */
function hiddenBytes(bytes: Uint8Array, hide: Hide): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  const clean = hide(text);
  return clean === text ? bytes : Buffer.from(clean, 'latin1');
}

/** As written, in JSON, percent-encoded, in HTML, and in Base64; and where a text was cut within it. */
function textHider(secrets: readonly Secret[]): Hide {
  const values = secrets.map((secret) => secret.reveal());
  const words = [...new Set(values.flatMap(wordsOf))].sort((a, b) => b.length - a.length);
  const within = words.filter((word) => word.length >= shortestWithin);
  const forms = new RegExp(within.flatMap((word) => [spelled(word), ...inBase64(word)]).join('|'), 'gi');
  const starts = within.flatMap((word) => [word, encodeURIComponent(word)]);
  return (text) => {
    if (values.includes(text.trim())) return hidden;
    if (within.length === 0) return text;
    const clean = text.replace(forms, hidden);
    return clean.endsWith('…') ? withoutCut(clean, starts) : clean;
  };
}

/** Words of a value that are no secret. */
const scheme = /^(basic|bearer|token|apikey|digest)$/i;

/** `Bearer abcdef` may come back as `abcdef`, and `Basic …` as the password in it. */
function wordsOf(value: string): string[] {
  const [, pair] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(value) ?? [];
  const decoded = pair === undefined ? '' : Buffer.from(pair, 'base64').toString('latin1');
  const words = value.split(' ').filter((word) => !scheme.test(word));
  return [value, ...words, decoded, decoded.slice(decoded.indexOf(':') + 1)];
}

const named: Readonly<Record<string, string>> = {
  '"': 'quot',
  '&': 'amp',
  "'": 'apos',
  '<': 'lt',
  '>': 'gt',
};

/** A pattern: each character by itself or as one of its escapes. */
function spelled(word: string): string {
  return [...word]
    .map((char) => {
      const code = char.charCodeAt(0);
      const hex = code.toString(16).padStart(2, '0');
      const own = [
        literal(char),
        `\\\\u${hex.padStart(4, '0')}`,
        encodeURIComponent(char) === char ? `%${hex}` : encodeURIComponent(char),
        ...('"\\/'.includes(char) ? [`\\\\${literal(char)}`] : []),
        ...(char === ' ' ? [String.raw`\+`] : []),
        ...(/[A-Za-z0-9]/.test(char) ? [] : [`&#(?:${code}|x${hex});`]),
        ...(named[char] === undefined ? [] : [`&${named[char]};`]),
      ];
      return `(?:${own.join('|')})`;
    })
    .join('');
}

function literal(text: string): string {
  return text.replace(/[$()*+./?[\\\]^{|}-]/g, String.raw`\$&`);
}

/** Patterns: wherever it stands in what was encoded, apart from the characters at its ends that it shares. */
function inBase64(word: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(word)]);
    const whole = bytes.toString('base64').replace(/=+$/, '');
    const own = whole.slice(before === 0 ? 0 : before + 1, bytes.length % 3 === 0 ? undefined : -1);
    return own.replaceAll('+', '[+-]').replaceAll('/', '[/_]');
  });
}

/** Faults keep the beginning of a long text. */
function withoutCut(text: string, starts: readonly string[]): string {
  const kept = text.slice(0, -1);
  for (const start of starts) {
    for (let length = Math.min(start.length - 1, kept.length); length >= shortestCut; length -= 1) {
      if (kept.endsWith(start.slice(0, length))) return `${kept.slice(0, -length)}${hidden}…`;
    }
  }
  return text;
}
