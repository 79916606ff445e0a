/** Places of report.json in words, for those who read no program's paths: `rpc, minutes down`. Pure. */
import { oneLine } from './outside.ts';

const counts: Readonly<Record<string, string>> = {
  up: 'minutes up',
  down: 'minutes down',
  unknown: 'minutes unknown',
  stalled: 'minutes in which the chain stood still',
  degraded: 'minutes degraded',
  maintenance: 'minutes in maintenance',
  unknownNoData: 'minutes unknown (no data)',
  unknownSplit: 'minutes unknown (split vote)',
  unknownProbe: 'minutes unknown (probe at fault)',
  unknownClock: 'minutes unknown (clock)',
  requests: 'requests',
  succeeded: 'requests that succeeded',
};
/** Of a day, by place. */
const dayCounts = ['up', 'down', 'unknown', 'maintenance', 'stalled', 'degraded'] as const;

const lists: Readonly<Record<string, string>> = {
  outages: 'outages',
  latency: 'latency',
  latencyDays: 'latency by day',
  heads: 'distance to the chain',
  certificates: 'certificates',
  subjects: 'its subjects',
  days: 'its days',
};

const parts: Readonly<Record<string, string>> = {
  month: 'the month',
  minutes: 'the minutes of the month',
  origin: "the log's origin",
  logs: 'how far the log was counted',
  operatorKey: "the operator's key",
  witnesses: 'the witnesses that signed',
  draft: 'whether it is a draft',
  'counted.later': 'what came later',
  'counted.missing': 'observations that are gone',
  'logged.configs': 'changes of configuration',
  'logged.keys': "changes of probes' keys",
  'logged.maintenance': 'maintenance',
  'logged.actions': 'actions',
  'logged.annotations': 'remarks',
  'logged.files': 'the files that the report signs',
};

/** Undefined where there are no words for it. `region` follows a subject after a space, or after an `@` among differences. */
export function placeWords(path: string): string | undefined {
  const service = /^counted\.services\.([\w-]+)(?:\.(.+))?$/.exec(path);
  if (service) return serviceWords(service[1] ?? '', service[2] ?? '');
  const probe = /^counted\.probes\.([\w-]+)[^.]*(?:\.(\w+))?/.exec(path);
  if (probe) return `probe ${probe[1]}${probe[2] === undefined ? '' : `, ${probe[2]}`}`;
  const [head = '', next = ''] = path.split('.');
  return wordOf(parts, head) ?? wordOf(parts, `${head}.${next}`);
}

function wordOf(words: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(words, key) ? words[key] : undefined;
}

function serviceWords(id: string, rest: string): string | undefined {
  if (rest === '') return id;
  if (rest === 'minutes') return `${id}, minutes counted`;
  if (rest === 'chain') return `${id}, its chain`;
  const totals = /^subjects\.([\w/-]+)(?:[ @]([\w-]+))?\.totals\.(inMaintenance\.)?(\w+)$/.exec(rest);
  if (totals) {
    const [, subject = '', region, within, key = ''] = totals;
    const what = wordOf(counts, key);
    if (what === undefined) return undefined;
    return `${subject}${region === undefined ? '' : ` as ${region} saw it`}, ${what}${within === undefined ? '' : ', within maintenance'}`;
  }
  const day = /^days\.([\w/-]+)\.days\.(\d+)\.(\d)$/.exec(rest);
  if (day) {
    const what = wordOf(counts, dayCounts[Number(day[3])] ?? '');
    return what === undefined ? undefined : `${day[1]}, day ${Number(day[2]) + 1}, ${what}`;
  }
  const list = wordOf(lists, /^\w+/.exec(rest)?.[0] ?? '');
  return list === undefined ? undefined : `${id}, ${list}`;
}

/**
 * A line that begins with a path and `: `, with words before it and the path in brackets; any other as it is, on one line.
 * `counted.services.rpc.subjects.rpc.totals.down: 25 -> 23` is `rpc, minutes down: 25 -> 23 (counted.…)`.
 */
export function placedText(line: string): string {
  const { words, says, path } = placed(line);
  return words === undefined ? oneLine(line, 4_000) : `${words}: ${says} (${path})`;
}

/** Its parts, for those who set the path apart. */
export function placed(line: string): { words?: string; says: string; path: string } {
  const end = line.indexOf(': ');
  const [path, says] = end < 0 ? ['', line] : [line.slice(0, end), oneLine(line.slice(end + 2), 2_000)];
  const words = placeWords(path);
  return { ...(words === undefined ? {} : { words }), says, path };
}
