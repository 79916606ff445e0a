/**
 * Reads the vectors of config/testdata/rule-v1 (the README there is their grammar) into evidence and expectations.
 * Errors name the line: a vector that says nothing, or more than its grammar, is a broken test.
 */
import { parseDurationMs } from '../../time.ts';
import { MINUTE_MS } from '../../time.ts';
import type { Hash } from '../bytes.ts';
import { phaseMs } from '../due.ts';
import type { RuleChain, RuleConfig, RuleMonitor, RuleProbe, RuleService } from '../projection.ts';
import type { Evidence } from '../rule/evidence.ts';
import { type World, WORLD_SEED, dueTimes, newWorld, probeIdOf, worldKey } from './world.ts';

export interface Expectation {
  readonly line: number;
  readonly what: 'slots' | 'totals' | 'print' | 'problems';
  readonly subject: string;
  readonly first: number;
  readonly last: number;
  readonly expected: string;
}

export interface VectorCase {
  readonly name: string;
  readonly evidence: Evidence;
  readonly expectations: readonly Expectation[];
}

interface Line {
  readonly number: number;
  readonly text: string;
  readonly indented: boolean;
}

interface Scene {
  readonly world: World;
  readonly hash: Hash;
  readonly configs: Map<string, { readonly config: RuleConfig; readonly leaf: string }>;
  readonly maints: Map<string, string>;
  readonly expectations: Expectation[];
  latest: string;
}

/** All cases of one vector file. Throws Error with the number of the first line that does not fit. */
export function parseVectors(text: string, hash: Hash): VectorCase[] {
  const cases: VectorCase[] = [];
  let name = '';
  let lines: Line[] = [];
  const finish = (): void => {
    if (name !== '') cases.push(playCase(name, lines, hash));
  };
  for (const [i, raw] of text.split('\n').entries()) {
    const content = raw.replace(/(?:^|\s)#(?: .*)?$/, '').trimEnd();
    if (content === '') continue;
    if (content.startsWith('case ')) {
      finish();
      name = content.slice(5);
      lines = [];
    } else {
      lines.push({ number: i + 1, text: content.trim(), indented: content.startsWith('  ') });
    }
  }
  finish();
  return cases;
}

function playCase(name: string, lines: readonly Line[], hash: Hash): VectorCase {
  const scene: Scene = {
    world: newWorld(hash),
    hash,
    configs: new Map(),
    maints: new Map(),
    expectations: [],
    latest: '',
  };
  for (const [i, line] of lines.entries()) {
    if (line.indented) continue;
    const end = lines.findIndex((other, j) => j > i && !other.indented);
    const block = lines.slice(i + 1, end < 0 ? undefined : end);
    try {
      playLine(scene, line, block);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`line ${line.number}: '${line.text}': ${why}`, { cause });
    }
  }
  return { name, evidence: scene.world.evidence(), expectations: scene.expectations };
}

function playLine(scene: Scene, line: Line, block: readonly Line[]): void {
  const [word = '', ...rest] = line.text.split(/\s+/);
  const play = Object.hasOwn(statements, word) ? statements[word] : undefined;
  if (!play) throw new Error('not a statement');
  if (block.length > 0 && word !== 'config') throw new Error('only a config has indented lines');
  play(scene, rest, line, block);
}

type Statement = (scene: Scene, words: readonly string[], line: Line, block: readonly Line[]) => void;

const statements: Readonly<Record<string, Statement>> = {
  config(scene, [name = '', , from], _line, block) {
    const config = readConfig(block, scene);
    scene.configs.set(name, { config, leaf: scene.world.config(config, whole(from)) });
    scene.latest = name;
  },
  enrol: (scene, words) => enrolment(scene, words, 'enrol'),
  revoke: (scene, words) => enrolment(scene, words, 'revoke'),
  maint(scene, [name = '', , minutes = '', , ...subjects]) {
    const { first, last } = range(minutes);
    scene.maints.set(name, scene.world.maintain(subjects, first, last));
  },
  cancel(scene, [name = '', , from]) {
    scene.world.cancel(need(scene.maints.get(name), `no maintenance '${name}'`), whole(from));
  },
  phase(scene, [probe = '', monitor = '', , expected]) {
    const { intervalMs } = monitorOf(scene, scene.latest, monitor);
    const phase = phaseMs(WORLD_SEED, monitor, probeIdOf(probe), intervalMs, scene.hash);
    if (phase !== whole(expected)) throw new Error(`the phase is ${phase}`);
  },
  see: (scene, _words, line) => see(scene, line.text),
  reach(scene, [probe = '', , minute]) {
    const { leaf } = need(scene.configs.get(scene.latest), 'no config yet');
    scene.world.batch(probe, [], { config: leaf, minute: whole(minute) });
  },
  slots: (scene, _words, line) => expectation(scene, 'slots', line),
  totals: (scene, _words, line) => expectation(scene, 'totals', line),
  print: (scene, _words, line) => expectation(scene, 'print', line),
  problems: (scene, _words, line) => expectation(scene, 'problems', line),
};

function expectation(scene: Scene, what: Expectation['what'], line: Line): void {
  const match = /^\w+ +(\S+) +([0-9]+(?:-[0-9]+)?):\s*(.*)$/.exec(line.text);
  const [, subject = '', minutes = '', expected = ''] = need(match, 'not SUBJECT FIRST-LAST: …');
  scene.expectations.push({ line: line.number, what, subject, ...range(minutes), expected });
}

function enrolment(scene: Scene, words: readonly string[], act: 'enrol' | 'revoke'): void {
  const from = whole(words.at(-1));
  if (words.at(-2) !== 'from') throw new Error('not PROBE… from MINUTE');
  for (const probe of words.slice(0, -2)) {
    const key = worldKey(probe, scene.hash);
    const known = [...scene.configs.values()]
      .flatMap(({ config }) => config.probes)
      .find((p) => p.vkey === key);
    scene.world.enrol(probe, need(known, `no probe '${probe}'`).region, from, act);
  }
}

// ---------------------------------------------------------- configuration

function readConfig(block: readonly Line[], scene: Scene): RuleConfig {
  let config: RuleConfig = {
    seed: WORLD_SEED,
    regions: [],
    probes: [],
    controls: [],
    chains: [],
    services: [],
    monitors: [],
  };
  for (const line of block) {
    const [word = '', ...words] = line.text.split(/\s+/);
    const options = new Map(
      words.filter((w) => w.includes('=')).map((w) => w.split('=', 2) as [string, string]),
    );
    const names = words.filter((w) => !w.includes('='));
    config = configLine(config, word, names, options, scene);
  }
  return { ...config, regions: [...new Set(config.probes.map((probe) => probe.region))] };
}

function configLine(
  config: RuleConfig,
  word: string,
  names: readonly string[],
  options: ReadonlyMap<string, string>,
  scene: Scene,
): RuleConfig {
  const [name = '', second = ''] = names;
  switch (word) {
    case 'like':
      return need(scene.configs.get(name), `no config '${name}'`).config;
    case 'drop':
      return { ...config, monitors: config.monitors.filter((m) => m.id !== name) };
    case 'probes':
      return { ...config, probes: names.map((probe) => readProbe(probe, scene.hash)) };
    case 'chain':
      return { ...config, chains: replaced(config.chains, readChain(name, options), (c) => c.name) };
    case 'reference': {
      const chain = need(
        config.chains.find((c) => c.name === name),
        `no chain '${name}'`,
      );
      const reference = { host: second, operator: options.get('operator') ?? second };
      const references = [...chain.references, reference];
      return { ...config, chains: replaced(config.chains, { ...chain, references }, (c) => c.name) };
    }
    case 'service':
      return {
        ...config,
        services: replaced(config.services, readService(config, name, options), (s) => s.id),
      };
    case 'node': {
      const [id = '', node = ''] = name.split('/');
      const service = need(
        config.services.find((s) => s.id === id),
        `no service '${id}'`,
      );
      const made = {
        id: node,
        zone: 'z',
        operator: options.get('operator') ?? 'Example',
        urlHash: '00'.repeat(32),
      };
      const nodes = replaced(service.nodes, made, (n) => n.id);
      return { ...config, services: replaced(config.services, { ...service, nodes }, (s) => s.id) };
    }
    case 'monitor':
      return {
        ...config,
        monitors: replaced(config.monitors, readMonitor(config, name, options), (m) => m.id),
      };
    default:
      throw new Error(`'${word}' is not a line of a config`);
  }
}

function replaced<T>(list: readonly T[], item: T, id: (item: T) => string): T[] {
  return [...list.filter((other) => id(other) !== id(item)), item];
}

function readProbe(text: string, hash: Hash): RuleProbe {
  const [probe = '', region = ''] = text.split(':');
  return { id: probeIdOf(probe), region, operator: 'Example', vkey: worldKey(probe, hash) };
}

function readChain(name: string, options: ReadonlyMap<string, string>): RuleChain {
  const maxAgeMs = duration(options.get('maxAge') ?? '10s');
  return { name, family: 'evm', blockTimeMs: 1_000, maxLagBlocks: 5, maxAgeMs, references: [] };
}

function readService(config: RuleConfig, id: string, options: ReadonlyMap<string, string>): RuleService {
  const nodes = config.services.find((s) => s.id === id)?.nodes ?? [];
  return { id, minUp: whole(options.get('minUp') ?? '1'), visibility: 'public', nodes };
}

function readMonitor(config: RuleConfig, id: string, options: ReadonlyMap<string, string>): RuleMonitor {
  const intervalMs = duration(options.get('every') ?? '60s');
  const quorum = options.get('quorum');
  const chain = options.get('chain');
  return {
    id,
    kind: options.get('kind') ?? 'http',
    intervalMs,
    timeoutMs: Math.min(10_000, Math.floor(intervalMs / 2)),
    targetHash: '00'.repeat(32),
    settings: options.has('path') ? [`path s:${options.get('path')}`] : [],
    regions: options.get('regions')?.split(',') ?? [...new Set(config.probes.map((probe) => probe.region))],
    counts: options.get('counts') !== 'no',
    ...(quorum === undefined ? {} : { quorum: whole(quorum) }),
    ...(chain === undefined ? {} : { chain }),
  };
}

// ----------------------------------------------------------- observations

/** `see PROBE MONITOR FIRST-LAST [OPTION=VALUE…]: CELL | CELL …` */
function see(scene: Scene, text: string): void {
  const match = /^see +(\S+) +(\S+) +([0-9]+(?:-[0-9]+)?)((?: +[a-z]+=[^\s:]+)*):\s*(.*)$/.exec(text);
  const [, probe = '', monitor = '', minutes = '', optionText = '', cellText = ''] = need(
    match,
    'not a see statement',
  );
  const options = new Map(
    optionText
      .trim()
      .split(' ')
      .map((o) => o.split('=', 2) as [string, string]),
  );
  const ran = options.get('config') ?? scene.latest;
  const asked = monitorOf(scene, options.get('schedule') ?? ran, monitor);
  const { first, last } = range(minutes);
  const per = whole(options.get('per') ?? '1');
  const cells = cellText.split('|').map((cell) => cell.trim());
  const count = (last - first + 1) / per;
  if (cells.length !== count && cells.length !== 1)
    throw new Error(`${cells.length} cells for ${count} windows`);
  for (let i = 0; i < count; i += 1) {
    const window = { first: first + i * per, last: first + (i + 1) * per - 1 };
    const due = dueTimes(WORLD_SEED, monitor, probeIdOf(probe), asked.intervalMs, window, scene.hash);
    const lines = cellLines(monitor, due, cells.length === 1 ? (cells[0] ?? '') : (cells[i] ?? ''));
    const number = options.get('number');
    scene.world.batch(probe, lines, {
      config: need(scene.configs.get(ran), `no config '${ran}'`).leaf,
      epoch: whole(options.get('epoch') ?? '1'),
      clockBoundMs: options.get('clock') === '-1' ? -1 : whole(options.get('clock') ?? '5'),
      minute: window.first,
      ...(number === undefined ? {} : { number: whole(number) + i }),
    });
  }
}

/** The lines of one cell: one answer for each due time in turn; `ANSWER*` answers all that are left. */
function cellLines(monitor: string, due: readonly number[], cell: string): string[] {
  const outage = /^ok except fail ([0-9]+)-([0-9]+)ms$/.exec(cell);
  if (outage) {
    const [from, to] = [whole(outage[1]), whole(outage[2])];
    return due.map((at) => answerLine(monitor, at, from <= at && at < to ? 'fail' : 'ok')).flat();
  }
  const answers = cell.split(/\s+/).flatMap((answer, i) => {
    return answer.endsWith('*') ? new Array<string>(due.length - i).fill(answer.slice(0, -1)) : [answer];
  });
  if (answers.length !== due.length) throw new Error(`${answers.length} answers for ${due.length} due times`);
  return due.flatMap((at, i) => (answers[i] ?? '').split('+').flatMap((one) => answerLine(monitor, at, one)));
}

const answerTexts: Readonly<Record<string, string>> = {
  ok: 'ok 100 -',
  deg: 'degraded 100 target.rpc.slow',
  fail: 'fail 100 target.connect.refused',
  old: 'fail 100 target.head.old',
  dns: 'fail 100 resolver.resolve.servfail',
  skip: 'skipped 0 probe.schedule.late',
  clock: 'skipped 0 probe.clock.stepped',
  self: 'fail 100 probe.control.failed',
};

function answerLine(monitor: string, due: number, answer: string): string[] {
  if (answer === '.') return [];
  const [word = '', ...marks] = answer.split('~');
  const text = need(
    Object.hasOwn(answerTexts, word) ? answerTexts[word] : undefined,
    `'${word}' is not an answer`,
  );
  let at = due;
  const fields: string[] = [];
  for (const mark of marks) {
    const [key, value] = mark.split('=');
    if (key === 'off') at += whole(value);
    else if (key === 'late') fields.push(`late=${whole(value)}`);
    else if (key === 're') fields.push('re=1');
    else throw new Error(`'${mark}' is not a mark`);
  }
  return [[monitor, at, text, ...fields.sort()].join(' ')];
}

// ------------------------------------------------------------------ words

function monitorOf(scene: Scene, config: string, id: string): RuleMonitor {
  const known = need(scene.configs.get(config), `no config '${config}'`).config;
  return need(
    known.monitors.find((m) => m.id === id),
    `no monitor '${id}' in config '${config}'`,
  );
}

function need<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new Error(message);
  return value;
}

function whole(text: string | undefined): number {
  if (text === undefined || !/^[0-9]+$/.test(text)) throw new Error(`'${text}' is not a whole number`);
  return Number(text);
}

function duration(text: string): number {
  return need(parseDurationMs(text), `'${text}' is not a duration`);
}

function range(text: string): { first: number; last: number } {
  const [first, last = first] = text.split('-');
  const minutes = { first: whole(first), last: whole(last) };
  if (minutes.first > minutes.last) throw new Error('the first minute is after the last');
  return minutes;
}

/** The first millisecond of a minute: for reading vectors by hand. */
export function startOfMinute(minute: number): number {
  return minute * MINUTE_MS;
}
