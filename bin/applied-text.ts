/** What `config apply` did, for people. */
import type { ConfigApplied } from '@highwater/config/wire.ts';
import { columns, plain, utc } from './print.ts';

/** Ids shown of each kind of change; the rest are counted. */
const SHOWN = 10;

const kinds = ['services', 'nodes', 'monitors', 'probes'] as const;

function named(sign: string, ids: readonly string[]): string[] {
  const shown = ids.slice(0, SHOWN).map((id) => `${sign}${id}`);
  return ids.length > SHOWN ? [...shown, `${sign}(${ids.length - SHOWN} more)`] : shown;
}

export function appliedText({
  result,
  changes,
  inForceFrom,
  at,
  config,
  isNewLeaf,
  file,
}: ConfigApplied): string {
  if (result === 'unchanged') return `unchanged: ${plain(file)} is what runs, since ${utc(inForceFrom)}\n`;
  const rows = kinds.flatMap((kind) => {
    const { added, removed, changed } = changes[kind];
    const all = [...named('+', added), ...named('-', removed), ...named('~', changed)];
    return all.length === 0 ? [] : [[kind, all.join(' ')]];
  });
  const other = changes.other.length === 0 ? [] : [['other', changes.other.join(' ')]];
  const leaf = isNewLeaf ? `leaf ${config}` : 'no new leaf: nothing that is public changed';
  const when =
    inForceFrom > at
      ? `in force from ${utc(inForceFrom)}`
      : 'in force now: what it changes has no part in what is counted';
  const lines = columns([...rows, ...other])
    .split('\n')
    .filter((line) => line !== '');
  return [`applied: ${when}`, ...[...lines, `file ${file}`, leaf].map((line) => `  ${line.trimEnd()}`), '']
    .map(plain)
    .join('\n');
}
