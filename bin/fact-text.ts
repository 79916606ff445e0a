/** The facts of a line for people. */
import { factTable } from '@highwater/config/proof/line.ts';

/** What the facts of a line are called where its own table would say too much. */
const factNames: Readonly<Record<string, string>> = {
  h: 'height',
  fh: 'finalized height',
  id: 'block id, first 8 digits',
  g: 'genesis, first 8 digits',
  v: 'value',
  sc: 'HTTP status',
  ver: 'version',
  fp: 'certificate, first 8 digits of its fingerprint',
  fpb: 'certificate before, first 8 digits of its fingerprint',
};

const certificateNames = {
  // The first among those presented.
  ce: 'certificate expires',
  cl: "the server's own certificate expires",
  cv: 'the chain to a trusted root expires',
};

/** A fact as a person reads it: times in milliseconds and as dates, the rest with what it means. */
export function factText(key: string, value: string): string {
  const named = (text: string, name: string | undefined) =>
    name === undefined ? text : `${text}  (${name})`;
  const tenths = /^\d+$/.test(value) ? `${Number(value) / 10} ms` : value;
  const [first = '', second = ''] = value.split('.');
  if (key.startsWith('m.')) return tenths;
  if (key.startsWith('e.')) return `asked ${first}, answered ${second}  (to compare nodes by)`;
  switch (key) {
    case 'bt':
      return `${new Date(Number(value)).toISOString()} block time`;
    case 'ce':
    case 'cl':
    case 'cv':
      return `${new Date(Number(value)).toISOString()} ${certificateNames[key]}`;
    case 'ack':
      return named(tenths, 'until the subscription was acknowledged');
    case 'first':
      return named(tenths, 'until the first block was pushed');
    case 'age':
      return named(`${value} ms`, 'since the last block was pushed');
    case 'cp':
      return named(`${first}, id ${second}`, 'an older block, by which forks are seen');
    default:
      return named(value, factNames[key] ?? factTable[key]?.means);
  }
}
