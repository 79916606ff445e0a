/**
 * What looks like a key among what is published. The projection of a configuration stands in the log for good, with the
 * controls and the settings of public services' checks as they are written: their paths, bodies and parameters. What is
 * meant to be public may look the same (a block's hash, an account), so these are warnings and not mistakes.
 */
import type { Declared } from './declared.ts';
import { fieldOf } from './decode.ts';
import type { Finding, Path } from './problems.ts';

/** Names of what is a key, in a query, a form or JSON; in words, as `maxTokens` or `keyword` are none. */
const keyName =
  /^((api|app|access|auth|private|project|client|user|x)?[-_.]?(key|token|secret)|auth|authorization|passw(or)?d|pass|pwd|signature|sig|credentials?)$/i;
/** The same without names that are usual in what is no secret, such as a storage key. */
const surelyKeyName =
  /^((api|app|access|auth|private|client)[-_.]?(key|token|secret)|token|secret|authorization|passw(or)?d|credentials?)$/i;
/** Here stands what everyone may see. */
const publicByNature = new Set(['fingerprint']);

const MIN_LENGTH = 16;
/** Bits of a character (Shannon): words repeat letters more. */
const MIN_ENTROPY = 3;
const bech32 = /^[a-z]{1,20}1[02-9ac-hj-np-z]{38,}$/;

function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  const shares = [...counts.values()].map((count) => count / text.length);
  return -shares.reduce((sum, share) => sum + share * Math.log2(share), 0);
}

/** Whether a run of letters, digits, `-` and `_` looks random: letters and digits mixed, 16 or more of them. */
export function looksRandom(run: string): boolean {
  const bare = run.replaceAll(/[-_]/g, '');
  if (bare.length < MIN_LENGTH || !/[a-z]/i.test(bare)) return false;
  // Quantities, addresses and hashes of EVM chains; addresses of Cosmos and Bitcoin.
  if (/^0x[0-9a-f]*$/i.test(run) || bech32.test(run)) return false;
  // Words with numbers behind them: get_block_2, v1beta1.
  const odd = run.split(/[-_]/).filter((word) => !/^(\d*|[a-z]*\d{0,4}|v\d+[a-z]+\d+)$/i.test(word));
  if (odd.length === 0) return false;
  return (bare.match(/\d+/g) ?? []).length >= 2 && entropy(bare) >= MIN_ENTROPY;
}

/** What looks like a key in a text, as a person may be told: never the value. */
function keyIn(text: string): string | undefined {
  if (/^(env|file):/.test(text)) return undefined;
  for (const [, name = ''] of text.matchAll(/(?:^|[?&;])([^?&;=\s"{}]{1,40})=[^&;\s]/g))
    if (keyName.test(name)) return `the query parameter ${name}`;
  for (const [, name = ''] of text.matchAll(/"([^"\\]{1,40})"\s*:\s*"[^"]/g))
    if (surelyKeyName.test(name)) return `the field ${name}`;
  for (const [run] of text.matchAll(/[A-Za-z0-9_-]{16,}/g))
    if (looksRandom(run)) return 'a part that looks random';
  return undefined;
}

const remedy = 'what is secret belongs into a header of the node, env:HIGHWATER_SECRET_NAME';

function found(path: Path, what: string, instead: string): Finding {
  const message = `${what} looks like a key, and this is published in the log for good; ${instead}`;
  return { path, on: 'value', value: '[hidden]', message };
}

function* within(value: unknown, path: Path, depth = 0): Generator<Finding> {
  if (depth > 16) return;
  if (typeof value === 'string') {
    const name = path.at(-1);
    const isNamed =
      typeof name === 'string' && surelyKeyName.test(name) && value !== '' && !/^(env|file):/.test(value);
    const what = isNamed ? `the field ${name}` : keyIn(value);
    if (what !== undefined) yield found(path, what, `${remedy}, or make the service private`);
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* within(item, [...path, i], depth + 1);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) yield* within(item, [...path, name], depth + 1);
  }
}

/** A finding for each value that will be published and looks like a key. */
export function publishedKeys(declared: Declared): Finding[] {
  const findings: Finding[] = [];
  for (const { raw, path } of declared.controls) {
    const what = typeof raw === 'string' ? keyIn(raw) : undefined;
    if (what !== undefined) findings.push(found(path, what, 'name a control that needs none'));
  }
  for (const service of declared.services) {
    if (fieldOf(service.raw, 'visibility') === 'private') continue;
    const checks = [service, ...(service.public ? [service.public] : [])].flatMap(
      (each) => each.checks ?? [],
    );
    for (const { raw, path, settings } of checks) {
      if (fieldOf(raw, 'kind') === 'dns') continue;
      for (const [name, value] of Object.entries(settings))
        if (!publicByNature.has(name)) findings.push(...within(value, [...path, name]));
    }
  }
  return findings;
}
