/** Words of shell lines by which a person repeats what a check asks. Pure. */
import { isIP } from 'node:net';
import type { Asked } from '@highwater/config/kinds.ts';
import type { Target } from '@highwater/config/model.ts';
import { isSecretRef, type SecretRef } from '@highwater/config/secrets.ts';
import { hostOf, isSecure, portOf } from './io/url.ts';
import { userAgent } from './user-agent.ts';

/**
 * One word for a POSIX shell; control characters by `$'…'` (POSIX 2024, bash, zsh), so that it stays one line. A shell
 * without that (dash) reads `'…'` there, in which nothing but `'` has a meaning: it has other text then, but one word.
 */
export function quoted(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  if (!/\p{Cc}/u.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const escaped = text
    .replaceAll('\\', String.raw`\\`)
    .replaceAll("'", String.raw`\047`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`)
    .replaceAll('\t', String.raw`\t`)
    .replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `$'${escaped}'`;
}

/**
 * `NAME: VALUE` as one word; a secret is left to the shell, which has the variable or the file. It is an argument then,
 * which others on the machine can see while the tool runs: for tools that take headers in no other way.
 */
export function headerWord(name: string, value: string): string {
  return isSecretRef(value) ? `${quoted(`${name}: `)}${secretWord(value)}` : quoted(`${name}: ${value}`);
}

function secretWord(ref: SecretRef): string {
  const at = ref.slice(ref.indexOf(':') + 1);
  return `"${ref.startsWith('env:') ? `$${at}` : `$(cat ${quoted(at)})`}"`;
}

/** Whether a node's headers have a secret, which must reach no other host and no list of processes. */
export function hasSecrets({ headers }: Pick<Target, 'headers'>): boolean {
  return Object.values(headers).some(isSecretRef);
}

/** The addresses that a target is pinned to, of the family that it is asked over. */
export function pinnedAddresses({ address, address6, family }: Target): string[] {
  const of = { 4: [address], 6: [address6] };
  const both = family === undefined ? [address, address6] : of[family];
  return both.filter((each) => each !== undefined);
}

/** What all curl lines share: the deadline, the family, and where the name leads. */
export function curlWords(url: URL, { target, timeoutMs }: Asked): string[] {
  const addresses = pinnedAddresses(target);
  const host = hostOf(url);
  const port = portOf(url);
  return [
    'curl -sS',
    // As the probe calls itself: there are servers that ban it by that.
    `-A ${userAgent(undefined)}`,
    ...(target.family === undefined ? [] : [`-${target.family}`]),
    `--max-time ${timeoutMs / 1_000}`,
    ...(addresses.length === 0 ? [] : [pinWords(host, port, addresses)]),
  ];
}

/** An address as it stands in a URL; a name as it is. */
export function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** What a request carries, by names in lower case: those of the node win where both have one, as they do in the request. */
export function sentHeaders(
  own: Readonly<Record<string, string>>,
  { headers }: Target,
): readonly (readonly [name: string, value: string])[] {
  const all = [...Object.entries(own), ...Object.entries(headers)];
  return [...new Map(all.map(([name, value]) => [name.toLowerCase(), value]))];
}

/** What one curl line asks beside its URL. */
export interface CurlRequest {
  /** Of the check; those of the node are added. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as it is. */
  readonly body?: string | undefined;
  /** curl's options for the rest. */
  readonly words: readonly string[];
}

/** One request by curl. Secrets come by a pipe from the shell's own printf, so that they are no argument of a process. */
export function curlLine(url: URL, { headers, body, words }: CurlRequest, asked: Asked): string {
  const all = sentHeaders(headers, asked.target);
  const secrets = all.flatMap(([name, value]) =>
    isSecretRef(value) ? [`${quoted(name)} ${secretWord(value)}`] : [],
  );
  const others = all.filter(([, value]) => !isSecretRef(value));
  return [
    ...(secrets.length === 0 ? [] : [String.raw`printf '%s: %s\n' ${secrets.join(' ')} |`]),
    ...curlWords(url, asked),
    ...words,
    ...others.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(secrets.length === 0 ? [] : ['-H @-']),
    ...(body === undefined ? [] : [`--data-raw ${quoted(body)}`]),
    ...urlWords(url),
  ].join(' ');
}

/** An address in the URL is never resolved: there the connection itself is led elsewhere. */
function pinWords(host: string, port: number, addresses: readonly string[]): string {
  const [first = ''] = addresses;
  return isIP(host) === 0
    ? `--resolve ${quoted(`${host}:${port}:${addresses.map(bracketed).join(',')}`)}`
    : `--connect-to ${quoted(`${bracketed(host)}:${port}:${bracketed(first)}:${port}`)}`;
}

/**
 * As curl follows: no further than told, and never from https to http. Not at all with a secret, which it would send to
 * wherever it is led.
 */
export function redirectWords(url: URL, redirects: number, target: Pick<Target, 'headers'>): string[] {
  if (redirects === 0 || hasSecrets(target)) return [];
  return ['-L', `--max-redirs ${redirects}`, ...(isSecure(url) ? ['--proto-redir =https'] : [])];
}

/** A URL as curl's last word: its own patterns (`[1-3]`, `{a,b}`) are off where they could be meant by mistake. */
export function urlWords(url: URL): string[] {
  const looksLikePattern = /[[\]{}]/.test(`${url.pathname}${url.search}`);
  return [...(looksLikePattern ? ['--globoff'] : []), quoted(url.href)];
}
