/** Shell lines of wscat, openssl and nc. Pure. */
import { isIP } from 'node:net';
import type { Asked } from '@highwater/config/kinds.ts';
import type { Target } from '@highwater/config/model.ts';
import { hostOf, isSecure } from './io/url.ts';
import { bracketed, headerWord, pinnedAddresses, quoted, sentHeaders } from './repeat.ts';

export interface SocketWords {
  readonly protocols?: readonly string[] | undefined;
  /** Beside the target's own, which win. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent once it is open. wscat takes one, and shows what comes until the deadline. */
  readonly send?: string | undefined;
}

/**
 * A WebSocket by hand (github.com/websockets/wscat). It knows no pinned addresses: there the address stands in the URL,
 * the name in the Host header, and the certificate is not looked at, as it is for the name. It takes headers as arguments
 * alone, so that a secret is seen in the list of processes while it runs.
 */
export function wscatLine(url: URL, words: SocketWords, { target, timeoutMs }: Asked): string {
  const [pinned] = isIP(hostOf(url)) === 0 ? pinnedAddresses(target) : [];
  const at = new URL(url);
  if (pinned !== undefined) at.hostname = bracketed(pinned);
  return [
    'wscat',
    ...(pinned === undefined ? [] : [...(isSecure(url) ? ['-n'] : []), `--host ${quoted(url.host)}`]),
    `-c ${quoted(at.href)}`,
    ...(words.protocols ?? []).map((name) => `-s ${quoted(name)}`),
    ...sentHeaders(words.headers ?? {}, target).map(([name, value]) => `-H ${headerWord(name, value)}`),
    ...(words.send === undefined ? [] : [`-x ${quoted(words.send)}`, `-w ${secondsOf(timeoutMs)}`]),
  ].join(' ');
}

/** Where a target's bytes are asked for: the pinned address, else the host. */
export function addressOf(url: URL, target: Target): string {
  return pinnedAddresses(target)[0] ?? hostOf(url);
}

/** TLS to one server, with the service's name as SNI and the certificate checked for it. */
export function opensslWords(url: URL, port: number, { target, timeoutMs }: Asked): string[] {
  const host = hostOf(url);
  const isName = isIP(host) === 0;
  const isPinned = pinnedAddresses(target).length > 0;
  return [
    // It has no deadline of its own.
    `timeout ${secondsOf(timeoutMs)} openssl s_client`,
    ...(target.family === undefined || isPinned ? [] : [`-${target.family}`]),
    `-connect ${quoted(`${bracketed(addressOf(url, target))}:${port}`)}`,
    ...(isName ? [`-servername ${quoted(host)}`] : []),
    `${isName ? '-verify_hostname' : '-verify_ip'} ${quoted(host)}`,
  ];
}

/** `printf` with the text as its format, so that line ends are seen and kept in every shell. */
export function printfWords(text: string): string {
  const escaped = text
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('%', '%%')
    .replaceAll('\r', String.raw`\r`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\t', String.raw`\t`)
    .replace(/\p{Cc}/gu, (char) =>
      [...Buffer.from(char)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
    );
  // `--`: a format may begin with a hyphen.
  return `printf -- '${escaped.replaceAll("'", String.raw`'\''`)}'`;
}

/** Whole seconds, rounded up: what these tools take. */
export function secondsOf(ms: number): number {
  return Math.ceil(ms / 1_000);
}
