/** The SMTP URL: where and how to send mail. A secret as a whole, as it may hold a password. Pure. */

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (smtps). */
  readonly secure: boolean;
  /** Refuse to go on without STARTTLS. */
  readonly requireTLS: boolean;
  readonly ignoreTLS: boolean;
  readonly rejectUnauthorized: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
}

const switches = ['requireTLS', 'ignoreTLS', 'tls.rejectUnauthorized'];

/**
 * Reads `smtp://user:password@host:587` or `smtps://…:465`, with `?requireTLS=`, `?ignoreTLS=` and
 * `?tls.rejectUnauthorized=` as true or false. A password never goes out in clear but to this machine itself,
 * unless requireTLS=false says so. Throws an Error whose message holds nothing of the URL's values.
 */
export function parseSmtpUrl(text: string): SmtpServer {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '') {
    throw new Error('no SMTP URL; write smtp://user:password@mail.example.com:587 or smtps://…:465');
  }
  for (const [name, value] of url.searchParams) {
    if (!switches.includes(name) || !/^(true|false)$/.test(value)) {
      throw new Error(`the SMTP URL has a parameter that is not ${switches.join(', ')} with true or false`);
    }
  }
  const is = (name: string, otherwise: boolean) => {
    const value = url.searchParams.get(name);
    return value === null ? otherwise : value === 'true';
  };
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const local = host === 'localhost' || host === '::1' || /^127\./.test(host);
  const user = decode(url.username);
  return {
    host,
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: is('requireTLS', user !== '' && !secure && !local),
    ignoreTLS: is('ignoreTLS', false),
    rejectUnauthorized: is('tls.rejectUnauthorized', !local),
    ...(user === '' ? {} : { auth: { user, pass: decode(url.password) } }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(
      'the SMTP URL has a % that is no escape; write % as %25 in user name and password, @ as %40',
    );
  }
}
