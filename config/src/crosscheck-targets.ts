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
  const written = [textOf(raw, 'address'), textOf(raw, 'address6')].filter((each) => each !== undefined);
  const asked = written.length > 0 ? written : [new URL(url).hostname];
  if (asked.some(isPrivateHost)) {
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

/** Whether what a header of this name carries is a secret, by all that is usual. */
export function isSecretHeader(name: string): boolean {
  return secretHeader.test(name);
}

/** As the probe reads references (probe/src/secrets.ts): its own variables, and files directly under its data/secrets. */
const probeVariable = /^env:HIGHWATER_SECRET_[A-Z0-9_]+(?<!_HOST)$/;
const probeFile = /^file:((\.\/)?(data\/)?secrets\/)?[A-Za-z0-9_][A-Za-z0-9._-]*(?<!\.host)$/;

function checkHeaders(raw: unknown, path: Path, findings: Finding[]): void {
  if (typeof raw !== 'object' || raw === null) return;
  const remedy = 'write env:HIGHWATER_SECRET_NAME, or file:NAME for a file under secrets/ in its data folder';
  for (const [name, value] of Object.entries(raw as Record<string, unknown>)) {
    if (typeof value !== 'string' || !isHeaderName(name)) continue;
    const at = [...path, name];
    if (value.startsWith('env:') && !probeVariable.test(value)) {
      findings.push(wrong(at, value, `a probe gives out only its variables HIGHWATER_SECRET_…, ${remedy}`));
    } else if (value.startsWith('file:') && !probeFile.test(value)) {
      findings.push(wrong(at, value, `a probe gives out only files of its own secrets folder, ${remedy}`));
    } else if (!/^(env|file):/.test(value) && isSecretHeader(name)) {
      findings.push(wrong(at, value, `a secret must not stand in the config, ${remedy}`));
    }
  }
}
