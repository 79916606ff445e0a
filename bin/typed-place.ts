/** Places that somebody types for one check and that are no URL of the web: HOST:PORT, tcp://HOST:PORT, NAME. Pure. */

const hostPort = /^(?:(?:tcp|tls):\/\/)?(\[[0-9A-Fa-f:.]+\]|[^\s/:@?#[\]]+)(?::([0-9]{1,5}))?\/?$/;
const bareName = /^(?:dns:\/\/)?([^\s/:@?#[\]]+|\[[0-9A-Fa-f:.]+\])$/;

/**
 * The URL by which the config says the same; undefined for what is none of these. A tcp check has no usual port, and
 * needs one here unless its settings name it.
 */
export function typedPlace(
  subject: string,
  kind: string | undefined,
  settings: Readonly<Record<string, unknown>>,
): string | undefined {
  if (kind === 'dns') {
    const name = bareName.exec(subject)?.[1];
    return name === undefined ? undefined : `http://${name}`;
  }
  if (kind !== 'tcp' && kind !== 'tls') return undefined;
  const [, host, port] = hostPort.exec(subject) ?? [];
  if (host === undefined) return undefined;
  if (kind === 'tcp' && port === undefined && settings['port'] === undefined) return undefined;
  return `${kind === 'tls' ? 'https' : 'http'}://${host}${port === undefined ? '' : `:${port}`}`;
}

/** What to write, where a place was meant and nothing of it could be read. */
export const placeRemedy =
  'a URL begins with http://, https://, ws:// or wss://; with --kind tcp or tls HOST:PORT will do, with --kind dns a NAME; a monitor is service/node/check';
