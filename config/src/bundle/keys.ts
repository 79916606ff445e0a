/** The keys that a bundle is checked with: whom it says to have signed. A reader who knows better gives their own. */
import { type Hash, parseDecimal } from '../proof/bytes.ts';
import { parseVerifierKey } from '../proof/note.ts';

/** More than the years of any log. */
const MAX_LOGS = 200;

export interface BundleKeys {
  /** Verifier key; its name is the log's origin without the year. */
  readonly operator: string;
  /** By year, each once; a key's name is `ORIGIN/YEAR`. */
  readonly logs: readonly { readonly year: number; readonly vkey: string }[];
}

/** `operator VKEY`, then `log YEAR VKEY` for each. */
export function formatKeys(keys: BundleKeys): string {
  const logs = keys.logs.map(({ year, vkey }) => `log ${year} ${vkey}\n`);
  return `operator ${keys.operator}\n${logs.join('')}`;
}

/** The opposite of formatKeys; each key is one, and named as it has to be. Never throws. */
export function parseKeys(text: string, origin: string, hash: Hash): BundleKeys | { error: string } {
  if (!text.endsWith('\n')) return { error: 'the text does not end in a line feed' };
  const [first = '', ...rest] = text.slice(0, -1).split('\n');
  const [word, operator = '', ...more] = first.split(' ');
  if (word !== 'operator' || more.length > 0) return { error: 'line 1 is not: operator VKEY' };
  const wrong = whyNot(operator, origin, hash);
  if (wrong !== undefined) return { error: `line 1: ${wrong}` };
  if (rest.length > MAX_LOGS) return { error: `there are over ${MAX_LOGS} logs` };
  const logs: { year: number; vkey: string }[] = [];
  for (const [i, line] of rest.entries()) {
    const [log, yearText = '', vkey = '', ...others] = line.split(' ');
    const year = parseDecimal(yearText, 9_999);
    if (log !== 'log' || year === undefined || others.length > 0)
      return { error: `line ${i + 2} is not: log YEAR VKEY` };
    if (year <= (logs.at(-1)?.year ?? 0)) return { error: `line ${i + 2}: not sorted by year, each once` };
    const badKey = whyNot(vkey, `${origin}/${year}`, hash);
    if (badKey !== undefined) return { error: `line ${i + 2}: ${badKey}` };
    logs.push({ year, vkey });
  }
  return { operator, logs };
}

function whyNot(vkey: string, name: string, hash: Hash): string | undefined {
  const key = parseVerifierKey(vkey, hash);
  if ('error' in key) return key.error;
  return key.name === name ? undefined : `the key's name is not ${name}`;
}
