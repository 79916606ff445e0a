/** What `highwater log status` prints. */
import { noWitnesses } from '@highwater/config/no-witnesses.ts';
import type { LogStatus } from '@highwater/config/wire.ts';
import { ago, columns, plain, utc } from './print.ts';

/** Nothing is refused, and the witnesses that the policy asks for have cosigned. */
export function isLogWell({ refused, quorum }: LogStatus): boolean {
  return refused === undefined && quorum !== false;
}

/** @param now of the collector, Unix ms */
export function logText(log: LogStatus, now: number): string {
  return `${standing(log, now)}\n${witnessed(log, now)}`
    .split('\n')
    .map((line) => plain(line))
    .join('\n');
}

function standing({ origin, size, root, signedAt, pending, refused }: LogStatus, now: number): string {
  const signed = signedAt === undefined ? 'nothing yet' : `${ago(now - signedAt)} ago, ${utc(signedAt)}`;
  const rows = [
    ['entries', String(size)],
    ['root', root],
    ['signed', signed],
    ['waiting', pending === 0 ? 'nothing' : `${pending} acknowledged, ${entersText(refused)}`],
  ];
  const refusal =
    refused === undefined
      ? ''
      : `\nNOTHING IS SIGNED for ${ago(now - refused.since)}: ${refused.because}\nwhat to do: ${refused.remedy}\n`;
  return `${origin}\n${indented(rows)}${refusal}`;
}

/** What is acknowledged is kept either way. */
function entersText(refused: LogStatus['refused']): string {
  return refused === undefined
    ? 'in the tree within a minute'
    : 'in the tree only once the log is signed again';
}

function witnessed({ witnesses, quorum, size }: LogStatus, now: number): string {
  if (witnesses.length === 0) {
    return `witnesses: none\n  ${noWitnesses}\n  docs/witnesses.md says who can be one and how to add it.\n`;
  }
  const title =
    quorum === true
      ? 'witnesses: as many as the policy asks for vouch for this history'
      : 'WITNESSES: FEWER THAN THE POLICY ASKS FOR vouch for this history; readers do not have to believe it';
  const rows = witnesses.map(({ name, url, size: cosigned, at, error }) => {
    const behind = cosigned === undefined || cosigned >= size ? '' : ` of ${size}`;
    const has = cosigned === undefined ? 'has cosigned nothing' : `cosigned ${cosigned}${behind}`;
    return [name, has, at === undefined ? '' : `${ago(now - at)} ago`, url, error ?? ''];
  });
  return `${title}\n${indented(rows)}`;
}

function indented(rows: readonly (readonly string[])[]): string {
  return columns(rows.map((row) => ['', ...row]));
}
