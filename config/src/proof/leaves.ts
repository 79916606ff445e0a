/**
 * The other leaves that the rule reads: configuration, enrolment and revocation, maintenance.
 * Each names the first minute S from which it asks to be in force (CONTRACTS "In force").
 */
import { isId } from './bytes.ts';
import { MAX_MINUTE } from './batch.ts';
import {
  type TextReader,
  decimal,
  hashField,
  readText,
  takeHash,
  takeId,
  takeNumber,
  takeOrigin,
} from './text.ts';

const CONFIG = 'highwater/config/v1';
const PROBE = 'highwater/probe/v1';
const MAINT = 'highwater/maint/v1';

/** A configuration: commits to its public projection. */
export interface ConfigLeaf {
  readonly origin: string;
  /** First minute. */
  readonly from: number;
  /** Bytes and SHA-256 (base64) of the projection's text. */
  readonly bytes: number;
  readonly hash: string;
}

/** A probe's key begins or ceases to speak. Identity is the whole verifier key. */
export interface ProbeLeaf {
  readonly origin: string;
  readonly act: 'enrol' | 'revoke';
  readonly from: number;
  readonly probe: string;
  readonly region: string;
  /** `NAME+KEYID+BASE64`; its name is the probe's id. */
  readonly key: string;
  /** Who runs it, for people. */
  readonly operator: string;
}

/** A maintenance, or the end of one before its time. Minutes are inclusive. */
export type MaintLeaf =
  | {
      readonly act: 'declare';
      readonly origin: string;
      readonly from: number;
      readonly last: number;
      /** `SERVICE` or `SERVICE/NODE`, sorted, at least one. */
      readonly subjects: readonly string[];
    }
  | {
      readonly act: 'cancel';
      readonly origin: string;
      /** First minute that is no longer covered. */
      readonly from: number;
      /** Leaf hash of the declaration, base64. */
      readonly leaf: string;
    };

export function formatConfigLeaf(c: ConfigLeaf): string {
  return `${CONFIG}\nlog ${c.origin}\nfrom ${c.from}\nprojection ${c.bytes} ${c.hash}\n`;
}

export function parseConfigLeaf(text: string): ConfigLeaf | { error: string } {
  return readText<ConfigLeaf>(
    text,
    CONFIG,
    (lines) => {
      const origin = takeOrigin(lines);
      const from = takeNumber(lines, 'from', MAX_MINUTE);
      const [bytes, hash] = lines.take('projection', 2);
      return {
        origin,
        from,
        bytes: decimal(lines, 'projection', bytes),
        hash: hashField(lines, 'projection', hash),
      };
    },
    formatConfigLeaf,
  );
}

export function formatProbeLeaf(p: ProbeLeaf): string {
  const head = `${PROBE}\nlog ${p.origin}\n${p.act} ${p.probe}\nfrom ${p.from}\n`;
  return `${head}region ${p.region}\nkey ${p.key}\noperator ${p.operator}\n`;
}

export function parseProbeLeaf(text: string): ProbeLeaf | { error: string } {
  return readText<ProbeLeaf>(
    text,
    PROBE,
    (lines) => {
      const origin = takeOrigin(lines);
      const act = lines.at('revoke') ? 'revoke' : 'enrol';
      const probe = takeId(lines, act);
      const from = takeNumber(lines, 'from', MAX_MINUTE);
      const region = takeId(lines, 'region');
      const [key = ''] = lines.take('key', 1);
      if (!key.startsWith(`${probe}+`) || key.length > 400)
        lines.fail("key: not a verifier key of this probe's name");
      const operator = lines.takeRest('operator');
      if (operator === '' || operator.length > 256) lines.fail('operator: not 1 to 256 characters');
      return { origin, act, from, probe, region, key, operator };
    },
    formatProbeLeaf,
  );
}

export function formatMaintLeaf(m: MaintLeaf): string {
  const head = `${MAINT}\nlog ${m.origin}\n`;
  if (m.act === 'cancel') return `${head}cancel ${m.leaf}\nfrom ${m.from}\n`;
  return `${head}minutes ${m.from} ${m.last}\n${m.subjects.map((subject) => `of ${subject}\n`).join('')}`;
}

export function parseMaintLeaf(text: string): MaintLeaf | { error: string } {
  return readText<MaintLeaf>(text, MAINT, readMaint, formatMaintLeaf);
}

function readMaint(lines: TextReader): MaintLeaf {
  const origin = takeOrigin(lines);
  if (lines.at('cancel')) {
    const leaf = takeHash(lines, 'cancel');
    return { act: 'cancel', origin, leaf, from: takeNumber(lines, 'from', MAX_MINUTE) };
  }
  const [first, end] = lines.take('minutes', 2);
  const from = decimal(lines, 'minutes', first, MAX_MINUTE);
  const last = decimal(lines, 'minutes', end, MAX_MINUTE);
  if (from > last) lines.fail('minutes: the first is after the last');
  const subjects: string[] = [];
  while (lines.at('of')) {
    const [subject = ''] = lines.take('of', 1);
    const [service = '', node, ...more] = subject.split('/');
    const good = isId(service) && (node === undefined || isId(node)) && more.length === 0;
    if (!good) lines.fail('of: not SERVICE or SERVICE/NODE');
    if (subject <= (subjects.at(-1) ?? '')) lines.fail('of: not sorted, each once');
    subjects.push(subject);
  }
  return subjects.length > 0
    ? { act: 'declare', origin, from, last, subjects }
    : lines.fail('of: nothing is covered');
}
