/** Where checks ask: private addresses that nobody allowed, secrets in headers. */
import { isIP } from 'node:net';
import { fieldOf, textOf, wrong } from './decode.ts';
import { isHeaderName } from './fields.ts';
import type { Finding, Path } from './problems.ts';

/** A private address that nobody allowed would only ever give the fault target.connect.private. */
export function checkTarget(raw: unknown, path: Path, findings: Finding[]): void {
  checkHeaders(fieldOf(raw, 'headers'), [...path, 'headers'], findings);
  const url = textOf(raw, 'url');
  if (url === undefined || fieldOf(raw, 'allowPrivate') === true || !URL.canParse(url)) return;
  const asked = textOf(raw, 'address') ?? textOf(raw, 'address6') ?? new URL(url).hostname;
  if (isPrivateHost(asked)) {
    findings.push(
      wrong([...path, 'url'], url, 'a private or loopback address, add allowPrivate: true if that is meant'),
    );
  }
}

/** Whether a URL's host is, as written, a loopback, private or link-local one. Names are not looked up. */
export function isPrivateHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true;
  if (isIP(bare) === 4) return /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(bare);
  return isIP(bare) === 6 && (bare === '::1' || bare === '::' || /^f[cd]|^fe[89ab]/.test(bare));
}

const secretHeader = /authorization|cookie|token|secret|passw|api-?key|^x-.*key$/i;

function checkHeaders(raw: unknown, path: Path, findings: Finding[]): void {
  if (typeof raw !== 'object' || raw === null) return;
  for (const [name, value] of Object.entries(raw as Record<string, unknown>)) {
    if (typeof value !== 'string' || !isHeaderName(name)) continue;
    const at = [...path, name];
    const remedy = 'write env:HIGHWATER_SECRET_NAME or file:NAME';
    if (value.startsWith('env:')) {
      if (!/^env:HIGHWATER_SECRET_[A-Za-z0-9_]+$/.test(value)) {
        findings.push(wrong(at, value, `a probe fetches only variables named HIGHWATER_SECRET_…, ${remedy}`));
      }
    } else if (!value.startsWith('file:') && secretHeader.test(name)) {
      findings.push(wrong(at, value, `a secret must not stand in the config, ${remedy}`));
    }
  }
}
