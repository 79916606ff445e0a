/** A signed request: how a probe proves who asks, without a shared secret. */
import { MAX_INSTANT, decodeBase64, decodeUtf8, encodeBase64, utf8 } from './bytes.ts';
import { readText, takeId, takeNumber, takeOrigin } from './text.ts';
import type { Instant } from '../time.ts';

const HEADER = 'highwater/request/v1';
const SCHEME = 'Highwater ';

export interface SignedRequest {
  /** Origin of the log without the year. */
  readonly origin: string;
  readonly probe: string;
  readonly method: 'GET' | 'POST';
  /** Path and query exactly as asked. */
  readonly target: string;
  /** The asker's clock; the collector bounds its age. */
  readonly at: Instant;
}

export function formatRequestText(r: SignedRequest): string {
  return `${HEADER}\nlog ${r.origin}\nprobe ${r.probe}\n${r.method} ${r.target}\nat ${r.at}\n`;
}

export function parseRequestText(text: string): SignedRequest | { error: string } {
  return readText<SignedRequest>(
    text,
    HEADER,
    (lines) => {
      const origin = takeOrigin(lines);
      const probe = takeId(lines, 'probe');
      const method = lines.at('POST') ? 'POST' : 'GET';
      const [target = ''] = lines.take(method, 1);
      if (!/^\/[\x21-\x7e]{0,2047}$/.test(target)) lines.fail('the target is not a path in printable ASCII');
      return { origin, probe, method, target, at: takeNumber(lines, 'at', MAX_INSTANT) };
    },
    formatRequestText,
  );
}

/** The value of the header `Authorization` that carries a signed request note. */
export function authorizationOf(note: string): string {
  return SCHEME + encodeBase64(utf8(note));
}

/** The note in an `Authorization` header; undefined when it is not one of ours. */
export function noteOfAuthorization(header: string): string | undefined {
  if (!header.startsWith(SCHEME) || header.length > 8_192) return undefined;
  const bytes = decodeBase64(header.slice(SCHEME.length));
  return bytes && decodeUtf8(bytes);
}
