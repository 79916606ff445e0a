/** Whom a monitor asks, as far as the configuration says. Pure. */
import { hostOf, portOf } from './io/url.ts';

interface Asks {
  readonly settings?: unknown;
  readonly target: {
    readonly url: string;
    readonly address?: string | undefined;
    readonly address6?: string | undefined;
  };
}

/** The operator's address when there is one; the port of the settings before that of the URL. Empty and 0: not known. */
export function placeAsked({ settings, target }: Asks): { host: string; port: number } {
  const url = URL.parse(target.url);
  const { port } = (settings ?? {}) as { readonly port?: unknown };
  return {
    host: target.address ?? target.address6 ?? (url ? hostOf(url) : ''),
    port: typeof port === 'number' ? port : url ? portOf(url) : 0,
  };
}
