/** Takes secrets out of a text that came from outside: a server may repeat what it was given. Pure. */

const hidden = '[redacted]';
/** Shorter pieces would take ordinary words out. */
const minPiece = 6;

/** The text without the secrets, without the telling parts of those that are URLs, and without their base64. */
export function scrub(text: string, secrets: readonly string[]): string {
  const pieces = new Set<string>();
  for (const secret of secrets) {
    pieces.add(secret);
    for (const piece of parts(secret)) {
      pieces.add(piece);
      pieces.add(Buffer.from(piece).toString('base64'));
    }
  }
  const longestFirst = [...pieces]
    .filter((piece) => piece.length >= minPiece)
    .sort((a, b) => b.length - a.length);
  return longestFirst.reduce((out, piece) => out.replaceAll(piece, hidden), text);
}

/** User, password and long path segments: a webhook's token, not `webhooks` or `api`. */
function parts(secret: string): string[] {
  if (!URL.canParse(secret)) return [secret];
  const { username, password, pathname, searchParams } = new URL(secret);
  const user = safeDecode(username);
  const pass = safeDecode(password);
  const plainLogin = user === '' ? [] : [`\u0000${user}\u0000${pass}`];
  const segments = pathname.split('/').filter((segment) => segment.length >= 16);
  return [username, password, user, pass, ...plainLogin, ...segments, ...searchParams.values()];
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
