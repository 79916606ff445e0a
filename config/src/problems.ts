/** What is wrong with a config, as people read it: `FILE:LINE:COL path: value: what is wrong, what to write instead`. */

/** Where in the config: keys and list indexes from the top. */
export type Path = readonly (string | number)[];

/** One mistake before its place in the file is known. */
export interface Finding {
  readonly path: Path;
  /** Whether the key itself is wrong (unknown, duplicate) rather than its value. */
  readonly on: 'key' | 'value';
  /** The value as it may be shown; see `showValue`. */
  readonly value: string;
  readonly message: string;
}

/** One mistake with its place. Lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly value: string;
  readonly message: string;
}

/** `FILE:LINE:COL path: value: what is wrong, what to write instead` */
export function formatProblem(problem: Problem): string {
  const { file, line, column, path, value, message } = problem;
  return `${file}:${line}:${column} ${path}: ${value}: ${message}`;
}

/** `services[0].nodes[1].url`; the whole file is `(file)`. Odd keys are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step.slice(0, 40))}]`;
  }
  return text === '' ? '(file)' : text;
}

const shownLength = 60;

/**
 * A value as an error may show it. Anything that may hold a secret is `[hidden]`: all text of a channel's
 * settings but mail addresses, header values, and values under keys that sound like secrets. Of a URL only scheme and host are shown,
 * as paths and queries often carry access keys.
 */
export function showValue(path: Path, value: unknown): string {
  if (value === undefined) return '(missing)';
  if (value === null) return '(empty)';
  if (Array.isArray(value)) return '(a list)';
  if (typeof value === 'object') return '(a map)';
  if (typeof value !== 'string') return JSON.stringify(value);
  if (mayBeSecret(path) && !isMailAddress(path, value)) return '[hidden]';
  return showText(value);
}

/** What kind of value stands there, where the value itself must not be shown (under an unknown key). */
export function showShape(value: unknown): string {
  if (typeof value === 'string') return '(text)';
  if (typeof value === 'number') return '(a number)';
  return showValue([], value);
}

function showText(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (scheme === undefined) {
    return JSON.stringify(text.length > shownLength ? `${text.slice(0, shownLength)}…` : text);
  }
  const authority = text.slice(scheme.length).split(/[/?#\s]/, 1)[0] ?? '';
  const host = authority.slice(authority.lastIndexOf('@') + 1).slice(0, shownLength);
  const rest = text.length > scheme.length + authority.length + 1 ? '/…' : '';
  return JSON.stringify(`${scheme}${authority.includes('@') ? '[hidden]@' : ''}${host}${rest}`);
}

const secretWords = /secret|token|passw|apikey|api_key|authorization|cookie|webhook|smtp|credential/i;

/** Who sends mail and who gets it is no secret; what does not look like an address may be a secret by mistake. */
function isMailAddress([first, second, , name]: Path, value: string): boolean {
  const isPlace = first === 'alerts' && second === 'channels' && (name === 'from' || name === 'to');
  return isPlace && /^[^\s:/@]{1,64}@[^\s:/@]{1,255}$/.test(value);
}

function mayBeSecret(path: Path): boolean {
  const [first, second, , name] = path;
  if (first === 'alerts' && second === 'channels' && name !== 'id' && name !== 'kind') return true;
  return path.some((step) => step === 'headers' || (typeof step === 'string' && secretWords.test(step)));
}

/** The candidate that a mistyped word probably means; undefined when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Edits (insert, delete, replace, swap of neighbours) between two short words; gives up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const cell = (row: number, column: number) => rows[row]?.[column] ?? limit;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? cell(i - 2, j - 2) + 1 : limit;
      row.push(Math.min(cell(i - 1, j) + 1, (row[j - 1] ?? limit) + 1, cell(i - 1, j - 1) + same, swapped));
    }
  }
  return cell(a.length, b.length);
}
