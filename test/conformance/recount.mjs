#!/usr/bin/env node
/**
 * Counts a report's figures again from its bundle, and compares. It shares no code with the project and needs nothing but
 * Node, so that it can be read, and believed, apart from it. What it does is written in "The number: rule/v1" and in the
 * README of the rule's vectors; each function names its clause.
 *
 *     node recount.mjs BUNDLE.tar.gz|FOLDER [--json]
 *
 * It is about the number: signatures and the log's tree are taken as they are (`highwater verify` and walk.mjs check those),
 * bodies have to be what batches commit to. Lines are believed to be of the closed grammar. Exit 0: every integer agrees.
 * 1: one does not. 2: the bundle could not be read.
 */
import { createHash, hash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createGunzip } from 'node:zlib';

const MINUTE_MS = 60_000;
const DAY = 1_440;
const say = (line) => process.stdout.write(`${line}\n`);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

// ------------------------------------------------------------------ files

/** Files of a bundle, one after the other: [name without the folder, bytes], which stand until the next one is asked for. */
function filesOf(path) {
  return statSync(path).isDirectory() ? filesOfFolder(path) : filesOfArchive(path);
}

/** As they lie in an archive, as far as it matters here: bodies behind all that says what is in them. */
function* filesOfFolder(path) {
  const rank = (name) => ['range', 'leaves', 'logs', 'configs', 'bodies'].indexOf(name.split('/')[0]);
  const names = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(path, '/').length));
  const [wanted, report] = [names.filter((name) => rank(name) >= 0), names.includes('report.json')];
  wanted.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const take = room();
  for (const name of report ? [...wanted, 'report.json'] : wanted) {
    const file = openSync(join(path, name));
    const bytes = take(fstatSync(file).size);
    for (let at = 0, read = 1; at < bytes.length && read > 0; at += read)
      read = readSync(file, bytes, { offset: at });
    closeSync(file);
    yield [name, bytes];
  }
}

/** One buffer, over and over: those that are made anew for each file are let go of far too late. */
function room() {
  let space = Buffer.alloc(1 << 24);
  return (wanted) => {
    if (space.length < wanted) space = Buffer.alloc(2 * wanted);
    return space.subarray(0, wanted);
  };
}

async function* filesOfArchive(path) {
  const stream = createReadStream(path, { highWaterMark: 1 << 20 }).pipe(
    createGunzip({ chunkSize: 1 << 20 }),
  );
  const source = stream[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  const roomFor = room();
  const take = async (wanted) => {
    const all = roomFor(wanted);
    let length = 0;
    while (length < wanted) {
      if (rest.length === 0) {
        const { value, done } = await source.next();
        if (done) throw new Error('the archive ends inside a file');
        rest = value;
      }
      const copied = rest.copy(all, length, 0, wanted - length);
      rest = rest.subarray(copied);
      length += copied;
    }
    return all;
  };
  let longName = '';
  for (;;) {
    const header = await take(512);
    if (header.every((byte) => byte === 0)) return;
    const textOf = (from, to) => header.toString('latin1', from, to).replace(/\0.*$/s, '');
    const size = Number.parseInt(textOf(124, 136).trim(), 8) || 0;
    const type = textOf(156, 157);
    const prefix = textOf(345, 500);
    const name = longName || (prefix === '' ? textOf(0, 100) : `${prefix}/${textOf(0, 100)}`);
    longName = '';
    const body = await take(Math.ceil(size / 512) * 512);
    // A name of over 100 characters comes before its file, as pax or as GNU writes it.
    if (type === 'x') longName = / path=([^\n]*)\n/.exec(body.toString('utf8', 0, size))?.[1] ?? '';
    else if (type === 'L') longName = body.toString('utf8', 0, size).replace(/\0.*$/s, '');
    else if (type === '0' || type === '') yield [name.slice(name.indexOf('/') + 1), body.subarray(0, size)];
  }
}

// ----------------------------------------------------------------- leaves

/** A log's place among all of them: years do not overlap. */
const orderOf = (year, index) => year * 2 ** 40 + index;

const interned = new Map();
/** The same text in memory of its own and once: a part of a note would keep all of it. */
function kept(text) {
  const own = interned.get(text);
  if (own !== undefined) return own;
  const copy = Buffer.from(text).toString();
  interned.set(copy, copy);
  return copy;
}

function readNote(bytes) {
  const note = bytes.toString('utf8');
  const split = note.lastIndexOf('\n\n');
  const [, name = '', signature = ''] = note.slice(split + 2).split(' ');
  const keyId = Buffer.from(signature, 'base64').subarray(0, 4).toString('hex');
  return { text: note.slice(0, split + 1), signer: `${name}+${keyId}` };
}

/** `word rest` of each line behind the header. */
function fieldsOf(text) {
  return text
    .split('\n')
    .slice(1, -1)
    .map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(0, space), line.slice(space + 1)];
    });
}
const one = (fields, word) => fields.find(([own]) => own === word)?.[1];
/** The key as its signatures name it: its name and id. */
const signerOf = (vkey) => vkey.split('+').slice(0, 2).join('+');

const untoken = (token) => (token === '%' ? '' : decodeURIComponent(token));

function readProjection(text) {
  const config = {
    seed: '',
    probes: [],
    chains: new Map(),
    services: new Map(),
    monitors: new Map(),
    entries: new Map(),
  };
  const ask = new Map();
  const chainLines = new Map();
  const words = text
    .split('\n')
    .slice(1, -1)
    .map((line) => [line, line.split(' ')]);
  const each = (word, use) =>
    words.filter(([, [own]]) => own === word).forEach(([line, fields]) => use(fields, line));
  each('seed', ([, seed]) => (config.seed = seed));
  each('probe', ([, id, region, vkey]) => config.probes.push({ id, region, key: signerOf(vkey) }));
  each('chain', ([, name], line) => {
    config.chains.set(name, { references: new Map() });
    chainLines.set(name, line);
  });
  each('reference', ([, chain, host, operator]) =>
    config.chains.get(chain).references.set(host, untoken(operator)),
  );
  each('service', ([, id, minUp, visibility]) =>
    config.services.set(id, {
      id,
      minUp: Number(minUp),
      isPublic: visibility === 'public',
      nodes: new Map(),
    }),
  );
  each('node', ([, path, , , operator]) => {
    const [service, node] = path.split('/');
    config.services.get(service).nodes.set(node, untoken(operator));
  });
  each('monitor', ([, id, kind, interval, , chain], line) => {
    const [service, node] = id.split('/');
    config.monitors.set(id, {
      id,
      service,
      node,
      kind,
      intervalMs: Number(interval),
      chain: chain === '-' ? undefined : chain,
    });
    ask.set(id, [line]);
  });
  each('set', ([, id], line) => ask.get(id).push(line));
  each('judge', ([, id, counts, quorum, regions]) =>
    Object.assign(config.monitors.get(id), {
      counts: counts === 'counts',
      quorum: quorum === '-' ? undefined : Number(quorum),
      phases: new Map(),
      regions: new Set(regions === '-' ? [] : regions.split(',')),
    }),
  );
  // What is asked, with the limits of its chain: how answers are judged is not in it.
  for (const [id, lines] of ask) {
    config.entries.set(id, [...lines, chainLines.get(config.monitors.get(id).chain) ?? ''].join('\n'));
  }
  return config;
}

// ---------------------------------------------------------- what is known

const known = {
  month: '',
  firstDay: 0,
  days: 0,
  /** By year: start and size. */
  trees: new Map(),
  /** Others than batches, with their place. */
  leaves: [],
  batches: [],
  projections: new Map(),
  /** By day and service: what is committed to, packed, in the order of the log. */
  refs: new Map(),
  seen: new Map(),
  /** By key and epoch: the number from which on all is void. */
  voidFrom: new Map(),
};
const REF_BYTES = 44;

function readRange(text) {
  for (const [word, rest] of fieldsOf(text)) {
    const numbers = rest.split(' ').map(Number);
    if (word === 'month') known.month = rest;
    if (word === 'last')
      throw new Error('this is a draft: it ends within its month, and whole months are counted here');
    if (word === 'tree') known.trees.set(numbers[0], { start: numbers[1], size: numbers[2] });
  }
  const [year, month] = known.month.split('-').map(Number);
  known.firstDay = Date.UTC(year, month - 1) / 86_400_000;
  known.days = Date.UTC(year, month) / 86_400_000 - known.firstDay;
}

function readEntry(year, index, bytes) {
  const order = orderOf(year, index);
  if (known.seen.has(order)) return;
  known.seen.set(order, true);
  const { text, signer } = readNote(bytes);
  const header = text.slice(0, text.indexOf('\n'));
  if (header !== 'highwater/batch/v1') {
    if (/^highwater\/(config|probe|maint)\/v1$/.test(header)) {
      const leaf = createHash('sha256').update(Buffer.of(0)).update(bytes).digest('base64');
      known.leaves.push({ order, kind: header.slice(10, -3), leaf, fields: fieldsOf(text) });
    }
    return;
  }
  const fields = fieldsOf(text);
  const [first, last] = one(fields, 'minutes').split(' ').map(Number);
  const batch = {
    order,
    year,
    index,
    ordinal: known.batches.length,
    key: kept(signer),
    probe: kept(one(fields, 'probe')),
    epoch: Number(one(fields, 'epoch')),
    number: Number(one(fields, 'number')),
    first,
    last,
    config: kept(one(fields, 'config')),
    boundMs: Number(one(fields, 'clock').split(' ')[0]),
  };
  if (isKnownBatch(batch, text)) return;
  known.batches.push(batch);
  const { start = Infinity, size = 0 } = known.trees.get(year) ?? {};
  if (index < start || index >= size) return;
  const day = Math.floor(first / DAY);
  for (const [word, rest] of fields) {
    if (word === 'body') addRef(day, batch.ordinal, rest.split(' '));
  }
}

/** The same batch twice is one; two texts under one number void the epoch from there on. */
function isKnownBatch({ key, epoch, number }, text) {
  const place = `${key} ${epoch} ${number}`;
  const own = hash('sha256', text, 'base64');
  const other = known.seen.get(place);
  if (other === own) return true;
  if (other === undefined) known.seen.set(place, own);
  else {
    const before = known.voidFrom.get(`${key} ${epoch}`) ?? Infinity;
    known.voidFrom.set(`${key} ${epoch}`, Math.min(before, number));
  }
  return false;
}

function addRef(day, ordinal, [service, lines, bytes, digest]) {
  const ofDay = known.refs.get(day) ?? new Map();
  known.refs.set(day, ofDay);
  const refs = ofDay.get(service) ?? { count: 0, data: Buffer.alloc(64 * REF_BYTES) };
  if (refs.count === 0) ofDay.set(kept(service), refs);
  const at = refs.count * REF_BYTES;
  if (at === refs.data.length) refs.data = Buffer.concat([refs.data, Buffer.alloc(at)]);
  refs.data.writeUInt32LE(ordinal, at);
  refs.data.writeUInt32LE(Number(lines), at + 4);
  refs.data.writeUInt32LE(Number(bytes), at + 8);
  Buffer.from(digest, 'base64').copy(refs.data, at + 12);
  refs.count += 1;
}

// --------------------------------------------------------------- in force

const timeline = {
  configs: [],
  standing: [],
  byLeaf: new Map(),
  enrolments: new Map(),
  maintained: new Map(),
};

/** Of leaves in order: the later one ends whatever began at or after its first minute. */
function overlaid(leaves) {
  const standing = [];
  for (const leaf of leaves) {
    while (standing.length > 0 && standing.at(-1).since >= leaf.since) standing.pop();
    standing.push(leaf);
  }
  return standing;
}
const heldAt = (standing, minute) => standing.findLast(({ since }) => since <= minute);
/** The newest leaf on a key below an index says whether it may speak. */
const isEnrolledBelow = (key, order) =>
  timeline.enrolments.get(key)?.findLast((leaf) => leaf.order < order)?.enrols ?? false;

function readTimeline() {
  const reach = new Map();
  const declared = new Map();
  /** What k regions had reached before one leaf stays reached for all that follow, whatever they make of R. */
  let floor = 0;
  /** "In force": the first S' >= S that fewer than k regions of R have reached, nor had when an earlier leaf was logged. */
  const inForceFrom = (from, order) => {
    const { probes } = timeline.configs.at(-1)?.config ?? { probes: [] };
    const regions = new Set(
      probes.filter(({ key }) => isEnrolledBelow(key, order)).map(({ region }) => region),
    );
    const reached = [...regions].map((region) =>
      Math.max(
        -1,
        ...probes.filter((probe) => probe.region === region).map(({ key }) => reach.get(key) ?? -1),
      ),
    );
    const k = Math.floor(reached.length / 2) + 1;
    const kth = reached.sort((a, b) => b - a)[k - 1] ?? -1;
    floor = Math.max(floor, kth + 1);
    return Math.max(from, floor);
  };
  const all = [...known.leaves, ...known.batches].sort((a, b) => a.order - b.order);
  for (const it of all) {
    if (it.kind === undefined) {
      if (isEnrolledBelow(it.key, it.order)) reach.set(it.key, Math.max(reach.get(it.key) ?? -1, it.last));
      continue;
    }
    const { order, fields } = it;
    if (it.kind === 'config') {
      const digest = one(fields, 'projection').split(' ')[1];
      const projection = known.projections.get(Buffer.from(digest, 'base64').toString('hex'));
      if (projection === undefined) throw new Error(`the projection ${digest} is not in the bundle`);
      const config = readProjection(projection);
      const since = inForceFrom(Number(one(fields, 'from')), order);
      timeline.configs.push({ since, config, leaf: it.leaf });
      timeline.byLeaf.set(it.leaf, config);
    } else if (it.kind === 'probe') {
      const key = signerOf(one(fields, 'key'));
      const since = inForceFrom(Number(one(fields, 'from')), order);
      const enrols = one(fields, 'enrol') !== undefined;
      timeline.enrolments.set(key, [...(timeline.enrolments.get(key) ?? []), { order, since, enrols }]);
    } else if (one(fields, 'cancel') !== undefined) {
      const since = inForceFrom(Number(one(fields, 'from')), order);
      const maintenance = declared.get(one(fields, 'cancel'));
      if (maintenance) maintenance.last = Math.min(maintenance.last, since - 1);
    } else {
      const [from, last] = one(fields, 'minutes').split(' ').map(Number);
      const subjects = fields.filter(([word]) => word === 'of').map(([, subject]) => subject);
      declared.set(it.leaf, { since: inForceFrom(from, order), last, subjects });
    }
  }
  timeline.standing = overlaid(timeline.configs);
  for (const [key, leaves] of timeline.enrolments)
    timeline.enrolments.set(key, Object.assign(leaves, { standing: overlaid(leaves) }));
  for (const { since, last, subjects } of declared.values()) {
    for (const subject of subjects) {
      timeline.maintained.set(subject, [...(timeline.maintained.get(subject) ?? []), { since, last }]);
    }
  }
}

const isMaintained = (subject, minute) =>
  timeline.maintained.get(subject)?.some(({ since, last }) => since <= minute && minute <= last) ?? false;
const isEnrolledAt = (key, minute) =>
  heldAt(timeline.enrolments.get(key)?.standing ?? [], minute)?.enrols ?? false;

// ---------------------------------------------------------------- windows

const WINDOWS = Array.from({ length: DAY }, (_, i) => i + 1).filter((minutes) => DAY % minutes === 0);

/** Of a UTC day: for each monitor the window of each minute, and the configuration of each minute. */
function windowsOf(day) {
  const rosters = new Map();
  const rosterOf = (config, monitor, minute) => {
    const speaking = config.probes.filter(
      ({ region, key }) => monitor.regions.has(region) && isEnrolledAt(key, minute),
    );
    const id = speaking.map(({ key, region }) => `${region} ${key}`).join('\n');
    let roster = rosters.get(id);
    if (roster === undefined) {
      const regions = new Map();
      for (const probe of speaking) regions.set(probe.region, [...(regions.get(probe.region) ?? []), probe]);
      roster = { regions, speakers: new Map(speaking.map((probe) => [probe.key, probe.id])) };
      rosters.set(id, roster);
    }
    return roster;
  };
  const configs = Array.from({ length: DAY }, (_, i) => heldAt(timeline.standing, day * DAY + i));
  const ids = new Set([...new Set(configs)].flatMap((held) => [...(held?.config.monitors.keys() ?? [])]));
  const byMonitor = new Map();
  for (const id of ids) {
    const windows = new Array(DAY);
    for (let i = 0; i < DAY;) {
      const held = configs[i];
      const monitor = held?.config.monitors.get(id);
      if (monitor === undefined) {
        i += 1;
        continue;
      }
      const minutes = WINDOWS.find((window) => window * MINUTE_MS >= monitor.intervalMs);
      const end = i - (i % minutes) + minutes;
      const window = {
        first: i,
        last: end - 1,
        held,
        monitor,
        roster: rosterOf(held.config, monitor, day * DAY + i),
      };
      for (; i < end; i += 1) windows[i] = window;
    }
    byMonitor.set(id, windows);
  }
  return { configs, byMonitor };
}

// ------------------------------------------------------------------ lines

/** What a line tells: it counts, or it says nothing, which may be told of what is unknown. */
const [NONE, OK, DEGRADED, FAIL, OLD, PROBE, CLOCK] = [0, 1, 2, 3, 4, 5, 6];
const CLASSES = 7;

/** What is read of one day. */
function newDay(day) {
  return { day, firstMs: day * DAY * MINUTE_MS, ...windowsOf(day), claims: new Map() };
}
let today = newDay(-1);

/** "Due" */
function phaseOf(seed, monitor, probe) {
  let phase = monitor.phases.get(probe);
  if (phase === undefined) {
    const digest = sha256(`${seed}\n${monitor.id}\n${probe}`);
    phase = Number(digest.readBigUInt64BE() % BigInt(monitor.intervalMs));
    monitor.phases.set(probe, phase);
  }
  return phase;
}

const [LF, SPACE, ZERO] = [10, 32, 48];
/** Where each line of the body begins, its due time begins and ends, and what it is, ms of the day. Of one body at a time. */
const lines = { starts: [], dueAt: [], dueEnds: [], dues: [], ends: [] };

/** Reads the lines of a body; false when it is left out whole. */
function readLines(batch, own, body, count) {
  if (body.at(-1) !== LF) return false;
  const firstMs = batch.first * MINUTE_MS;
  const endMs = (batch.last + 1) * MINUTE_MS;
  let n = 0;
  for (let at = 0; at < body.length; n += 1) {
    let i = at;
    while (body[i] !== SPACE && body[i] !== LF) i += 1;
    const dueAt = i + 1;
    let due = 0;
    for (i = dueAt; body[i] >= ZERO && body[i] < ZERO + 10; i += 1) due = due * 10 + body[i] - ZERO;
    const dueEnd = i;
    while (body[i] !== LF) i += 1;
    if (n === count || !startsWith(body, at, own) || due < firstMs || due >= endMs) return false;
    if (n > 0 && isLess(body, at, i, lines.starts[n - 1], lines.ends[n - 1])) return false;
    lines.starts[n] = at;
    lines.dueAt[n] = dueAt;
    lines.dueEnds[n] = dueEnd;
    lines.dues[n] = due - today.firstMs;
    lines.ends[n] = i;
    at = i + 1;
  }
  return n === count;
}

/** Whether one part of some bytes sorts before another. */
function isLess(body, start, end, otherStart, otherEnd) {
  const length = Math.min(end - start, otherEnd - otherStart);
  for (let i = 0; i < length; i += 1) {
    if (body[start + i] !== body[otherStart + i]) return body[start + i] < body[otherStart + i];
  }
  return end - start < otherEnd - otherStart;
}

function startsWith(body, at, word) {
  for (let i = 0; i < word.length; i += 1) if (body[at + i] !== word[i]) return false;
  return true;
}

function isSame(body, at, end, otherAt, otherEnd) {
  if (end - at !== otherEnd - otherAt) return false;
  for (let i = 0; at + i < end; i += 1) if (body[at + i] !== body[otherAt + i]) return false;
  return true;
}

/** Where a word is between the two, or -1. */
function find(body, at, end, word) {
  const last = end - word.length;
  for (let i = at; i <= last; i += 1) if (body[i] === word[0] && startsWith(body, i, word)) return i;
  return -1;
}

const bytesOf = (text) => Buffer.from(text, 'latin1');
const RECHECK = bytesOf(' re=1');
const LATE = bytesOf(' late=');
const PROBES = bytesOf('probe.');
const PROBES_CLOCK = bytesOf(' probe.clock.');
const SKIPPED = bytesOf('skipped ');
const SUCCEEDED = bytesOf('ok ');
const SLOW = bytesOf('degraded ');
const HEAD_OLD = bytesOf('target.head.old');

function readBody(batch, service, body, count) {
  const own = prefixes.get(service) ?? bytesOf(`${service}/`);
  prefixes.set(service, own);
  if (!readLines(batch, own, body, count)) return;
  const { starts, dueAt, dueEnds, dues, ends } = lines;
  const facts = (batch.facts ??= factsOf(batch));
  let claims;
  let standing;
  let before = -1;
  for (let i = 0; i < count; i += 1) {
    const [start, due, end] = [starts[i], dues[i], ends[i]];
    // A recheck is no claim: it never takes the place of a scheduled check.
    if (find(body, dueEnds[i], end, RECHECK) >= 0) continue;
    if (
      claims === undefined ||
      dueAt[i] - start !== claims.id.length ||
      !startsWith(body, start, claims.id)
    ) {
      claims = claimsOf(body.toString('latin1', start, dueAt[i] - 1), batch.key);
      standing = undefined;
      before = -1;
    }
    const window = claims.windows?.[Math.floor(due / MINUTE_MS)];
    if (window === undefined) continue;
    if (standing?.window !== window) standing = standingOf(claims, window, batch, facts);
    if (!standing.isSpeaking) continue;
    // Sorted: two lines of one due time follow each other.
    const isRepeat = before >= 0 && due === dues[before];
    if (isRepeat && isSame(body, start, end, starts[before], ends[before])) continue;
    const told = isRepeat ? PROBE : classOf(body, due, dueEnds[i], end, standing, facts);
    before = i;
    claim(claims, due, batch, told);
  }
}
const prefixes = new Map();

/** What one key says of a monitor in a day: due times in order, and which batch says what at each. */
function claimsOf(monitor, key) {
  const ofKey = today.claims.get(key) ?? new Map();
  if (ofKey.size === 0) today.claims.set(key, ofKey);
  let claims = ofKey.get(monitor);
  if (claims === undefined) {
    const id = bytesOf(`${monitor} `);
    claims = {
      id,
      windows: today.byMonitor.get(monitor),
      count: 0,
      dues: new Int32Array(512),
      told: new Float64Array(512),
    };
    ofKey.set(monitor, claims);
  }
  return claims;
}

/** Of two the one of the lower (epoch, number) stands, whatever it says; of two in one batch neither is believed. */
function claim(claims, due, batch, told) {
  let at = claims.count;
  // Mostly behind all others.
  while (at > 0 && claims.dues[at - 1] >= due) at -= 1;
  if (claims.dues[at] === due && at < claims.count) {
    const rival = known.batches[Math.floor(claims.told[at] / CLASSES)];
    if (rival === batch || isBefore(batch, rival)) claims.told[at] = batch.ordinal * CLASSES + told;
    return;
  }
  if (claims.count === claims.dues.length) {
    claims.dues = larger(claims.dues);
    claims.told = larger(claims.told);
  }
  if (at < claims.count) {
    claims.dues.copyWithin(at + 1, at, claims.count);
    claims.told.copyWithin(at + 1, at, claims.count);
  }
  claims.dues[at] = due;
  claims.told[at] = batch.ordinal * CLASSES + told;
  claims.count += 1;
}

function larger(array) {
  const made = new array.constructor(2 * array.length);
  made.set(array);
  return made;
}

const isBefore = (a, b) => a.epoch < b.epoch || (a.epoch === b.epoch && a.number < b.number);

/** What is the same for all lines of a batch. */
function factsOf(batch) {
  return {
    ran: timeline.byLeaf.get(batch.config),
    isEnrolled: isEnrolledBelow(batch.key, batch.order),
    isVoid: batch.number >= (known.voidFrom.get(`${batch.key} ${batch.epoch}`) ?? Infinity),
    isClockless: batch.boundMs < 0 || batch.boundMs > 2_000,
  };
}

/** What is the same for all lines of a probe in a monitor's window; mostly as in the window before. */
function standingOf(claims, window, { key, probe }, { ran }) {
  const { held, monitor, roster } = window;
  const last = claims.standing;
  if (last?.held === held && last.roster === roster && last.ran === ran && last.probe === probe) {
    last.window = window;
    return last;
  }
  const { intervalMs, id } = monitor;
  const offset = intervalMs - (today.firstMs % intervalMs);
  claims.standing = {
    window,
    held,
    roster,
    ran,
    probe,
    intervalMs,
    isSpeaking: roster.speakers.get(key) === probe,
    isOther:
      ran !== held.config && (ran === undefined || ran.entries.get(id) !== held.config.entries.get(id)),
    // Due times of the day, ms of it.
    phase: (phaseOf(held.config.seed, monitor, probe) + offset) % intervalMs,
  };
  return claims.standing;
}

/** "None", clause by clause, and why. */
function classOf(
  body,
  due,
  dueEnd,
  end,
  { isOther, intervalMs, phase },
  { isEnrolled, isVoid, isClockless },
) {
  const probeOrClock = () => (find(body, dueEnd, end, PROBES_CLOCK) >= 0 ? CLOCK : PROBE);
  if (!isEnrolled) return NONE;
  if (isVoid) return probeOrClock();
  if (isClockless) return CLOCK;
  if (isOther) return NONE;
  const outcomeAt = dueEnd + 1;
  const faultAt = body.indexOf(SPACE, body.indexOf(SPACE, outcomeAt) + 1) + 1;
  const isProbes = startsWith(body, faultAt, PROBES);
  const isSkipped = startsWith(body, outcomeAt, SKIPPED);
  if (isSkipped && !isProbes) return NONE;
  if (isProbes) return probeOrClock();
  if (due % intervalMs !== phase) return PROBE;
  const late = find(body, faultAt, end, LATE);
  if (late >= 0 && 2 * Number.parseInt(body.toString('latin1', late + LATE.length, end), 10) > intervalMs)
    return PROBE;
  if (startsWith(body, outcomeAt, SUCCEEDED)) return OK;
  if (startsWith(body, outcomeAt, SLOW)) return DEGRADED;
  const isOld = startsWith(body, faultAt, HEAD_OLD) && [SPACE, LF].includes(body[faultAt + HEAD_OLD.length]);
  return isOld ? OLD : FAIL;
}

// ---------------------------------------------------------------- bodies

const left = new Map();
let bodiesRead = 0;
let linesRead = 0;

function isPublished(config, service) {
  if (service.startsWith('chain.')) return config?.chains.has(service.slice(6)) ?? false;
  return config?.services.get(service)?.isPublic ?? false;
}

/** Bodies of a service's day follow each other; what each batch commits to says where the next begins. */
function readBodies(name, bytes) {
  const [, date, service, part] = name.split('/');
  const day = Date.parse(date) / 86_400_000;
  if (day !== today.day) {
    closeDay();
    today = newDay(day);
  }
  const key = `${day} ${service}`;
  const state = left.get(key) ?? { next: 0, missing: new Set() };
  left.set(key, state);
  let at = 0;
  while (Number(part) === 0 && bytes.toString('latin1', at, at + 8) === 'missing ') {
    const end = bytes.indexOf(10, at);
    const [, year, index] = bytes.toString('latin1', at, end).split(' ');
    state.missing.add(orderOf(Number(year), Number(index)));
    at = end + 1;
  }
  const refs = known.refs.get(day)?.get(service) ?? { count: 0 };
  for (; state.next < refs.count; state.next += 1) {
    const ref = state.next * REF_BYTES;
    const batch = known.batches[refs.data.readUInt32LE(ref)];
    if (!isPublished(timeline.byLeaf.get(batch.config), service) || state.missing.has(batch.order)) continue;
    if (at === bytes.length) return;
    const length = refs.data.readUInt32LE(ref + 8);
    const body = bytes.subarray(at, at + length);
    if (
      body.length < length ||
      !hash('sha256', body, 'buffer').equals(refs.data.subarray(ref + 12, ref + REF_BYTES))
    )
      throw new Error(
        `${name}: the body of entry ${batch.index} of ${batch.year} is not what the batch commits to`,
      );
    at += length;
    bodiesRead += 1;
    linesRead += refs.data.readUInt32LE(ref + 4);
    readBody(batch, service, body, refs.data.readUInt32LE(ref + 4));
  }
  if (at < bytes.length) throw new Error(`${name}: ${bytes.length - at} bytes behind the last body`);
}

// ---------------------------------------------------------------- judging

const CAUSES = ['split', 'probe', 'clock', 'no-data'];
/** The most frequent; a tie goes to the first of that order. */
function common(causes) {
  const times = (cause) => causes.filter((own) => own === cause).length;
  return CAUSES.reduce((best, cause) => (times(cause) > times(best) ? cause : best));
}
const isMostlyDegraded = (ok, degraded) => degraded > 0 && 2 * degraded >= ok + degraded;

/** Classes by minute of a monitor and key. */
function talliesOfDay() {
  const tallies = new Map();
  for (const [key, ofKey] of today.claims) {
    for (const [monitor, { count, dues, told }] of ofKey) {
      const counts = new Uint16Array(DAY * CLASSES);
      for (let i = 0; i < count; i += 1) {
        counts[Math.floor(dues[i] / MINUTE_MS) * CLASSES + (told[i] % CLASSES)] += 1;
      }
      tallies.set(`${monitor} ${key}`, counts);
    }
  }
  return tallies;
}

/** "Probe, minute" over a window. */
function judgeProbe(counts, { first, last }) {
  const sum = new Array(CLASSES).fill(0);
  for (let i = first * CLASSES; counts !== undefined && i < (last + 1) * CLASSES; i += 1)
    sum[i % CLASSES] += counts[i];
  const f = sum[FAIL] + sum[OLD];
  const o = sum[OK] + sum[DEGRADED];
  const says = f > 0 && f >= o ? 'down' : o > f ? 'up' : 'none';
  const cause = sum[PROBE] > 0 && sum[PROBE] >= sum[CLOCK] ? 'probe' : sum[CLOCK] > 0 ? 'clock' : 'no-data';
  return { says, ok: sum[OK], degraded: sum[DEGRADED], isOld: sum[OLD] === f, cause };
}

/** "Region" */
function judgeRegion(probes) {
  const up = probes.filter(({ says }) => says === 'up').length;
  const down = probes.filter(({ says }) => says === 'down');
  const says = up === down.length ? 'none' : up > down.length ? 'up' : 'down';
  const sum = (key) => probes.reduce((total, probe) => total + probe[key], 0);
  const ok = sum('ok');
  const degraded = sum('degraded');
  return {
    says,
    ok,
    degraded,
    isOld: says === 'down' && down.every(({ isOld }) => isOld),
    cause:
      says !== 'none' ? undefined : up + down.length > 0 ? 'split' : common(probes.map(({ cause }) => cause)),
    state: says === 'none' ? 'unknown' : says,
    isDegraded: says === 'up' && isMostlyDegraded(ok, degraded),
  };
}

/** "Monitor" */
function judgeMonitor(regions, declared) {
  const n = regions.length;
  const majority = Math.floor(n / 2) + 1;
  const q = declared === undefined ? majority : Math.min(Math.max(declared, majority), Math.max(n, 1));
  const up = regions.filter(({ says }) => says === 'up');
  const down = regions.filter(({ says }) => says === 'down');
  const state = up.length >= q ? 'up' : down.length >= q ? 'down' : 'unknown';
  const sum = (key) => up.reduce((total, region) => total + region[key], 0);
  const silent = regions.filter(({ says, cause }) => says === 'none' && cause !== 'split');
  let cause;
  if (state === 'unknown') {
    if (n - silent.length >= q) cause = 'split';
    else cause = silent.length === 0 ? 'no-data' : common(silent.map((region) => region.cause));
  }
  return {
    state,
    cause,
    isDegraded: state === 'up' && isMostlyDegraded(sum('ok'), sum('degraded')),
    isOld: state === 'down' && down.every(({ isOld }) => isOld),
  };
}

/** "Node", also of a service's public checks. */
function judgeNode(parts) {
  const of = (states) =>
    states.includes('down') ? 'down' : states.every((s) => s === 'up') ? 'up' : 'unknown';
  const state = of(parts.map((part) => part.state));
  const withHeads = of(parts.map((part) => (part.isStalledHead ? 'up' : part.state)));
  const hasStalledHead = parts.some((part) => part.isStalledHead);
  return {
    state,
    withHeads,
    hasStalledHead,
    isStalled: withHeads === 'up' && hasStalledHead,
    isDegraded: state === 'up' && parts.some((part) => part.isDegraded),
    cause:
      state === 'unknown'
        ? common(parts.filter((p) => p.state === 'unknown').map((p) => p.cause))
        : undefined,
  };
}

/** "Service", from its nodes. */
function judgeNodes(nodes, minUp) {
  const of = (states) => {
    const up = states.filter((s) => s === 'up').length;
    const unknown = states.filter((s) => s === 'unknown').length;
    return up >= minUp ? 'up' : up + unknown < minUp ? 'down' : 'unknown';
  };
  const state = of(nodes.map((node) => node.state));
  const withHeads = of(nodes.map((node) => node.withHeads));
  return {
    state,
    isStalled: withHeads === 'up' && nodes.some(({ hasStalledHead }) => hasStalledHead),
    isDegraded:
      state === 'up' && nodes.filter((node) => node.state === 'up' && !node.isDegraded).length < minUp,
    cause:
      state === 'unknown'
        ? common(nodes.filter((n) => n.state === 'unknown').map((n) => n.cause))
        : undefined,
  };
}

// ----------------------------------------------------------------- totals

const emptyCounts = () => ({
  up: 0,
  down: 0,
  unknown: 0,
  stalled: 0,
  degraded: 0,
  unknownNoData: 0,
  unknownSplit: 0,
  unknownProbe: 0,
  unknownClock: 0,
  requests: 0,
  succeeded: 0,
});
const causeKeys = {
  'no-data': 'unknownNoData',
  split: 'unknownSplit',
  probe: 'unknownProbe',
  clock: 'unknownClock',
};
/** By `subject`, and `subject region`. */
const totals = new Map();
/** Minutes of each service. */
const minutesOf = new Map();
const daysOf = new Map();
const outagesOf = new Map();

function count(plane, subject, minute, slot, isCovered, asked) {
  const id = plane === '' ? subject : `${subject} ${plane}`;
  const own = totals.get(id) ?? { ...emptyCounts(), maintenance: 0, inMaintenance: emptyCounts() };
  totals.set(id, own);
  if (isCovered) own.maintenance += 1;
  const into = isCovered ? own.inMaintenance : own;
  if (slot.isStalled) into.stalled += 1;
  else {
    into[slot.state] += 1;
    if (slot.state === 'unknown') into[causeKeys[slot.cause]] += 1;
    if (slot.isDegraded) into.degraded += 1;
    into.requests += asked.requests;
    into.succeeded += asked.succeeded;
  }
  if (plane !== '' || subject.split('/').length > 2) return;
  const days = daysOf.get(subject) ?? Array.from({ length: known.days }, () => [0, 0, 0, 0, 0, 0]);
  daysOf.set(subject, days);
  const day = days[today.day - known.firstDay];
  if (isCovered) day[3] += 1;
  else if (slot.isStalled) day[4] += 1;
  else {
    day[['up', 'down', 'unknown'].indexOf(slot.state)] += 1;
    if (slot.isDegraded) day[5] += 1;
  }
  if (isCovered || slot.isStalled || slot.state !== 'down') return;
  const outages = outagesOf.get(subject) ?? [];
  outagesOf.set(subject, outages);
  const last = outages.at(-1);
  if (last && last.firstMinute + last.minutes === minute) last.minutes += 1;
  else outages.push({ firstMinute: minute, minutes: 1 });
}

/** All of a day was read: its minutes are judged. */
function closeDay() {
  if (today.day < 0) return;
  known.refs.delete(today.day);
  const tallies = talliesOfDay();
  const judged = new Map();
  const judge = (window) => {
    let known = judged.get(window);
    if (known === undefined) {
      const regions = [...window.roster.regions].map(([region, probes]) => {
        const counts = probes.map(({ key }) => tallies.get(`${window.monitor.id} ${key}`));
        return { region, counts, ...judgeRegion(counts.map((own) => judgeProbe(own, window))) };
      });
      known = { regions, agreed: judgeMonitor(regions, window.monitor.quorum) };
      judged.set(window, known);
    }
    return known;
  };
  for (let i = 0; i < DAY; i += 1) {
    const config = today.configs[i]?.config;
    if (config !== undefined) judgeMinute(i, config, (id) => judge(today.byMonitor.get(id)[i]));
  }
}

/** "Stalled" */
function stalledChains(config, judge) {
  const heads = [...config.monitors.values()].filter(({ kind }) => kind === 'head');
  const stalled = new Set();
  for (const [name, chain] of config.chains) {
    const own = heads.flatMap(({ id, chain: of, service, node }) => {
      const operator = service.startsWith('chain.')
        ? chain.references.get(node)
        : config.services.get(service)?.nodes.get(node);
      return of === name && operator !== undefined ? [{ operator, ...judge(id).agreed }] : [];
    });
    const old = own.filter(({ isOld }) => isOld);
    const sure = own.filter(({ state }) => state !== 'unknown');
    if (old.length >= 3 && new Set(old.map((h) => h.operator)).size >= 2 && 2 * old.length > sure.length)
      stalled.add(name);
  }
  return stalled;
}

function requestsIn(counts, i) {
  const at = (kind) => counts?.[i * CLASSES + kind] ?? 0;
  const succeeded = at(OK) + at(DEGRADED);
  return { succeeded, requests: succeeded + at(FAIL) + at(OLD) };
}
const sumRequests = (parts) => ({
  requests: parts.reduce((sum, { asked }) => sum + asked.requests, 0),
  succeeded: parts.reduce((sum, { asked }) => sum + asked.succeeded, 0),
});

function judgeMinute(i, config, judge) {
  const minute = today.day * DAY + i;
  const stalled = stalledChains(config, judge);
  /** By plane ('' is what was agreed) and node: what its checks that count say. */
  const planes = new Map([['', new Map()]]);
  for (const monitor of config.monitors.values()) {
    const { service, node } = monitor;
    if (!service.startsWith('chain.') && !config.services.get(service)?.isPublic) continue;
    const { regions, agreed } = judge(monitor.id);
    const isStalledHead = monitor.kind === 'head' && stalled.has(monitor.chain);
    const asked = regions.map(({ region, counts }) => ({
      region,
      asked: sumRequests(counts.map((own) => ({ asked: requestsIn(own, i) }))),
    }));
    const isCovered = isMaintained(service, minute) || isMaintained(`${service}/${node}`, minute);
    for (const { region, ...slot } of [{ region: '', ...agreed }, ...regions]) {
      const own = sumRequests(asked.filter((a) => region === '' || a.region === region));
      count(region, monitor.id, minute, { ...slot, isStalled: isStalledHead }, isCovered, own);
      if (!monitor.counts || service.startsWith('chain.')) continue;
      if (!planes.has(region)) planes.set(region, new Map());
      const nodes = planes.get(region);
      const part = { ...slot, isStalledHead, asked: own };
      nodes.set(`${service}/${node}`, [...(nodes.get(`${service}/${node}`) ?? []), part]);
    }
  }
  for (const service of config.services.values()) {
    if (!service.isPublic) continue;
    minutesOf.set(service.id, (minutesOf.get(service.id) ?? 0) + 1);
    for (const [plane, byNode] of planes) judgeService(plane, minute, service, byNode, planes.get(''));
  }
}

function judgeService(plane, minute, service, byNode, agreed) {
  const nodes = [];
  const parts = [];
  const isCovered = isMaintained(service.id, minute);
  for (const node of service.nodes.keys()) {
    const id = `${service.id}/${node}`;
    const own = byNode.get(id);
    if (own !== undefined) {
      const judged = judgeNode(own);
      nodes.push(judged);
      parts.push(...own);
      count(plane, id, minute, judged, isCovered || isMaintained(id, minute), sumRequests(own));
    } else if (agreed.has(id)) {
      // A region that does not ask it says nothing of it.
      nodes.push({
        state: 'unknown',
        withHeads: 'unknown',
        cause: 'no-data',
        isDegraded: false,
        hasStalledHead: false,
      });
    }
  }
  const publicId = `${service.id}/public`;
  const publicParts = byNode.get(publicId) ?? [];
  const counted = agreed.has(publicId) ? publicParts : parts;
  if (counted.length === 0) return;
  const judged = publicParts.length > 0 ? judgeNode(publicParts) : judgeNodes(nodes, service.minUp);
  count(plane, service.id, minute, judged, isCovered, sumRequests(counted));
}

// ---------------------------------------------------------------- telling

const differences = [];
function compare(where, ours, theirs) {
  if (typeof ours === 'object' && ours !== null && typeof theirs === 'object' && theirs !== null) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
      compare(`${where}.${key}`, ours[key], theirs[key]);
  } else if (ours !== theirs) differences.push(`${where}: counted again ${ours}, in the report ${theirs}`);
}

function compareReport(report) {
  const told = new Set();
  for (const service of report.counted.services) {
    compare(`${service.id}.minutes`, minutesOf.get(service.id), service.minutes);
    for (const { subject, region, totals: theirs } of service.subjects) {
      const id = region === undefined ? subject : `${subject} ${region}`;
      told.add(id);
      compare(id, totals.get(id), theirs);
    }
    for (const { subject, days } of service.days) compare(`${subject}.days`, daysOf.get(subject), days);
    const mine = [...outagesOf].filter(([subject]) => subject.split('/')[0] === service.id);
    const listed = mine.flatMap(([subject, outages]) =>
      outages.map((o) => `${subject} ${o.firstMinute} ${o.minutes}`),
    );
    const theirs = service.outages.map((o) => `${o.subject} ${o.firstMinute} ${o.minutes}`);
    compare(`${service.id}.outages`, listed.sort(), theirs.sort());
  }
  for (const id of totals.keys()) {
    if (!id.startsWith('chain.') && !told.has(id))
      differences.push(`${id}: counted again, and not in the report`);
  }
  return told.size;
}

/** Four decimals, rounded down or up. */
function share(part, all, up = false) {
  if (all === 0) return '-';
  const scaled = BigInt(part) * 1_000_000n;
  const value = (scaled + (up ? BigInt(all) - 1n : 0n)) / BigInt(all);
  return `${value / 10_000n}.${String(value % 10_000n).padStart(4, '0')} %`;
}

function headline(id) {
  const { up, down, unknown, maintenance, stalled, requests, succeeded } = totals.get(id);
  const all = up + down + unknown;
  const bounds = unknown === 0 ? '' : `, between ${share(up, all)} and ${share(up + unknown, all, true)}`;
  // Below 90 % known the rule gives none.
  const figure = up + down > 0 && (up + down) * 10 >= all * 9 ? `${share(up, up + down)} up` : 'no figure';
  return `${id}: ${figure} (up ${up}, down ${down}, unknown ${unknown}, maintenance ${maintenance}, stalled ${stalled}), coverage ${share(up + down, all)}${bounds}; requests ${share(succeeded, requests)}`;
}

const USAGE = `usage: node recount.mjs BUNDLE.tar.gz|FOLDER [--json]

Counts the figures of a monthly report again from the signed observations in its bundle, and compares every integer
with report.json. It shares no code with Highwater, so that the number need not be taken from one program alone.
Signatures and the log's tree are not looked at: highwater verify does that, and walk.mjs.

Ends with 0 when every integer agrees, 1 when one does not, 2 when the bundle could not be read or is a draft.`;

async function main([path, flag]) {
  if (path === '--help' || path === '-h') return say(USAGE);
  if (path === undefined || path.startsWith('-') || (flag !== undefined && flag !== '--json'))
    throw new Error(USAGE);
  let report;
  let isRead = false;
  for await (const [name, bytes] of filesOf(path)) {
    const parts = name.split('/');
    if (name === 'range') readRange(bytes.toString());
    else if (parts[0] === 'leaves' && !name.endsWith('.tlog-proof'))
      readEntry(Number(parts[1]), Number(parts[2]), bytes);
    else if (parts[2] === 'entries') {
      let index = Number(parts.slice(3).join('').replaceAll('x', '')) * 256;
      for (let at = 0; at < bytes.length; index += 1) {
        const length = bytes.readUInt16BE(at);
        readEntry(Number(parts[1]), index, bytes.subarray(at + 2, at + 2 + length));
        at += 2 + length;
      }
    } else if (parts[0] === 'configs') {
      if (sha256(bytes).toString('hex') !== parts[1]) throw new Error(`${name}: its hash is another`);
      known.projections.set(parts[1], bytes.toString());
    } else if (parts[0] === 'bodies' || name === 'report.json') {
      if (!isRead) {
        known.seen.clear();
        readTimeline();
        isRead = true;
      }
      if (parts[0] === 'bodies') {
        // Days without a body are judged as well.
        const day = Date.parse(parts[1]) / 86_400_000;
        for (let next = today.day < 0 ? known.firstDay : today.day + 1; next < day; next += 1) openDay(next);
        readBodies(name, bytes);
      } else report = JSON.parse(bytes.toString());
    }
  }
  if (!isRead) readTimeline();
  for (
    let next = today.day < 0 ? known.firstDay : today.day + 1;
    next < known.firstDay + known.days;
    next += 1
  )
    openDay(next);
  closeDay();
  const services = [...minutesOf.keys()].filter((id) => totals.has(id)).sort();
  if (flag === '--json')
    say(JSON.stringify({ month: known.month, totals: Object.fromEntries([...totals].sort()) }));
  else {
    say(`${known.month}: ${known.batches.length} batches, ${bodiesRead} bodies, ${linesRead} lines`);
    for (const id of services) say(headline(id));
  }
  if (report === undefined) return say('there is no report.json to compare with');
  const compared = compareReport(report);
  for (const difference of differences.slice(0, 50)) say(`DIFFERENT ${difference}`);
  say(
    `${compared} rows of totals compared: ${differences.length === 0 ? 'all agree' : `${differences.length} integers differ`}`,
  );
  process.exitCode = differences.length === 0 ? 0 : 1;
}

function openDay(day) {
  closeDay();
  today = newDay(day);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say(`${error.message}`);
  process.exitCode = 2;
}
