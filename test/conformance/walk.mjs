#!/usr/bin/env node
/**
 * Walks a published log over HTTP and recomputes everything that it says. It shares no code with the project and needs
 * nothing but Node, so that it can be read, and believed, apart from it.
 *
 *     node walk.mjs URL [--log-key VKEY]… [--operator-key VKEY]
 *
 * URL is what holds YEAR/checkpoint, as https://status.example.com/log. Without keys those of URL/keys are believed, which
 * finds mistakes and not lies: ask whoever runs the log for them by another way. Exit 0: all of it fits. 1: something does
 * not. 2: it could not be asked. Two batches under one number are told and are no mismatch: the log keeps them as evidence.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const say = (line) => process.stdout.write(`${line}\n`);
const mismatches = [];
function wrong(where, what) {
  mismatches.push(`${where}: ${what}`);
  say(`MISMATCH ${where}: ${what}`);
}
class CannotAsk extends Error {}

// ------------------------------------------------------------------ bytes

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const base64 = (bytes) => Buffer.from(bytes).toString('base64');
/** Bytes of base64 in its one spelling, or undefined. */
function unbase64(text) {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
const isHash = (text) => unbase64(text ?? '')?.length === 32;
/** A whole number in its one spelling, or undefined. */
const whole = (text) =>
  /^(0|[1-9][0-9]{0,15})$/.test(text ?? '') && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);
const leafOf = (entry) => sha256(LEAF, entry);
const EMPTY_ROOT = base64(sha256());
const ZERO = base64(Buffer.alloc(32));

// ------------------------------------------------------------------ notes

const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** A key of `NAME+ID+BASE64(TYPE KEY)`; type 1 is Ed25519, type 4 a witness's. Undefined when it is not one. */
function keyOf(vkey, type = 1) {
  const [, name, id, text] = /^([^+\s]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey) ?? [];
  const bytes = unbase64(text ?? '');
  if (bytes?.length !== 33 || bytes[0] !== type) return undefined;
  if (sha256(`${name}\n`, bytes).subarray(0, 4).toString('hex') !== id) return undefined;
  const key = createPublicKey({ key: Buffer.concat([SPKI, bytes.subarray(1)]), format: 'der', type: 'spki' });
  return { name, id, vkey, fits: (text, signature) => verify(null, Buffer.from(text), key, signature) };
}

/** A note's text and signatures, or undefined for bytes that are none. */
function noteOf(bytes) {
  const note = Buffer.from(bytes).toString('utf8');
  if (!Buffer.from(note).equals(Buffer.from(bytes)) || !note.endsWith('\n')) return undefined;
  for (const letter of note) if (letter < ' ' && letter !== '\n') return undefined;
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || note.length === split + 2) return undefined;
  const signatures = [];
  for (const line of note.slice(split + 2, -1).split('\n')) {
    const [, name, text] = /^— ([^\s+]+) (\S+)$/.exec(line) ?? [];
    const signature = unbase64(text ?? '');
    if (!signature || signature.length < 5) return undefined;
    signatures.push({
      line,
      name,
      id: signature.subarray(0, 4).toString('hex'),
      bytes: signature.subarray(4),
    });
  }
  return { text: note.slice(0, split + 1), signatures };
}

const ofKey = (key) => (signature) => signature.name === key.name && signature.id === key.id;

/** The checkpoint in a note that this log key has signed; otherwise says why not. */
function checkpointOf(note, key) {
  const own = note?.signatures.find(ofKey(key));
  if (!own) return { error: `no note signed by ${key.name}+${key.id}` };
  if (!key.fits(note.text, own.bytes)) return { error: `the signature of ${key.name} does not fit` };
  const [origin, sizeText, root, end, ...more] = note.text.split('\n');
  const size = whole(sizeText);
  if (end !== '' || more.length > 0 || size === undefined || !isHash(root))
    return { error: 'not a checkpoint of three lines' };
  return origin === key.name ? { size, root, own } : { error: `it is of another log, ${origin}` };
}

// ------------------------------------------------------------------- HTTP

const MAX_BYTES = 64 * 1024 * 1024;

/** The bytes at a path; undefined for 404. A server that is busy is asked again. */
async function fetchBytes(base, path) {
  const url = `${base}/${path}`;
  for (let turn = 1; ; turn += 1) {
    try {
      const reply = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(30_000) });
      if (reply.status === 404) return undefined;
      if (reply.status !== 200) throw new Error(`status ${reply.status}`);
      const parts = [];
      let length = 0;
      for await (const part of reply.body ?? []) {
        length += part.length;
        if (length > MAX_BYTES) throw new Error(`over ${MAX_BYTES} bytes`);
        parts.push(part);
      }
      return Buffer.concat(parts);
    } catch (error) {
      if (turn === 4) throw new CannotAsk(`${url}: ${error.cause?.message ?? error.message}`);
      await sleep(500 * turn);
    }
  }
}

/** Does `work` for each item, some at a time. */
async function each(items, work) {
  const left = items[Symbol.iterator]();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

// ------------------------------------------------------------------- tree

/** Place of a tile: three digits a folder, all but the last behind an x. */
function placeOf(index, width) {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g);
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return width === 256 ? path : `${path}.p/${width}`;
}

/** Appends leaf by leaf, holding one root for each full subtree: the root of every size on the way. */
class Tree {
  #subtrees = [];
  size = 0;
  append(leaf) {
    let node = { count: 1, hash: leaf };
    while (this.#subtrees.at(-1)?.count === node.count) {
      node = { count: node.count * 2, hash: sha256(NODE, this.#subtrees.pop().hash, node.hash) };
    }
    this.#subtrees.push(node);
    this.size += 1;
  }
  root() {
    if (this.size === 0) return EMPTY_ROOT;
    return base64(
      this.#subtrees.map(({ hash }) => hash).reduceRight((right, left) => sha256(NODE, left, right)),
    );
  }
}

function subtreeOf(hashes) {
  const tree = new Tree();
  for (const hash of hashes) tree.append(hash);
  return Buffer.from(tree.root(), 'base64');
}

/** The entries of one bundle; of a bad one those that can be read. */
async function readBundle(base, path, width) {
  const bytes = await fetchBytes(base, path);
  const entries = [];
  let at = 0;
  while (bytes && at + 2 <= bytes.length) {
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) break;
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  if (!bytes) wrong(path, 'is not there');
  else if (at !== bytes.length || entries.length !== width)
    wrong(path, `does not hold exactly ${width} entries`);
  return entries;
}

/** All entries in order, some bundles ahead: the entries of a year need not fit into memory. */
async function* entriesOf(base, year, size) {
  const ahead = [];
  for (let index = 0; index * 256 < size || ahead.length > 0; index += 1) {
    const width = Math.min(256, size - index * 256);
    if (width > 0) ahead.push(readBundle(base, `${year}/tile/entries/${placeOf(index, width)}`, width));
    if (width <= 0 || ahead.length === 8) yield* await ahead.shift();
  }
}

/** Compares every tile with what the entries give. */
async function checkTiles(base, year, leaves) {
  const tiles = [];
  for (let level = 0, hashes = leaves; hashes.length > 0; level += 1) {
    const above = [];
    for (let index = 0; index * 256 < hashes.length; index += 1) {
      const own = hashes.slice(index * 256, index * 256 + 256);
      tiles.push({ path: `${year}/tile/${level}/${placeOf(index, own.length)}`, bytes: Buffer.concat(own) });
      if (own.length === 256) above.push(subtreeOf(own));
    }
    hashes = above;
  }
  await each(tiles, async ({ path, bytes }) => {
    const served = await fetchBytes(base, path);
    if (!served) wrong(path, 'is not there');
    else if (!served.equals(bytes)) wrong(path, 'holds other hashes than the entries give');
  });
  return tiles.length;
}

// ----------------------------------------------------------------- leaves

/** What is known from the entries so far, over all years. */
const world = {
  origin: undefined,
  operator: undefined,
  /** Verifier key -> key, as enrolled. */
  probes: new Map(),
  /** Leaf hash -> kind. */
  leaves: new Map(),
  /** `VKEY EPOCH` -> number -> { leaf, prev, place }[], and gaps. */
  epochs: new Map(),
  /** Size and root of the trees that batches name. */
  tips: [],
  bodies: new Map(),
  counts: new Map(),
  contradictions: 0,
};

const byOperator = new Set(['config', 'probe', 'maint', 'action', 'annot', 'report']);

function readEntry(entry, year, index) {
  const where = `${year} entry ${index}`;
  const note = noteOf(entry);
  const lines = note?.text.slice(0, -1).split('\n') ?? [];
  const [, kind] = /^highwater\/([a-z]+)\/v1$/.exec(lines[0] ?? '') ?? [];
  if (!note || note.signatures.length !== 1 || (kind !== 'batch' && !byOperator.has(kind)))
    return wrong(where, 'is not a note of a known kind with exactly one signature');
  const [signature] = note.signatures;
  const known = kind === 'batch' ? [...world.probes.values()] : [world.operator];
  const key = known.find((one) => one && ofKey(one)(signature));
  if (!key)
    return wrong(
      where,
      `a ${kind} signed by ${signature.name}+${signature.id}, which the log has not enrolled before`,
    );
  if (!key.fits(note.text, signature.bytes)) return wrong(where, `the signature of ${key.name} does not fit`);
  if (lines[1] !== `log ${world.origin}`) return wrong(where, 'is of another log');
  const leaf = base64(leafOf(entry));
  const field = (word) =>
    lines
      .find((line) => line.startsWith(`${word} `))
      ?.split(' ')
      .slice(1) ?? [];
  const fields = (word) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.split(' ').slice(1));
  const earlier = (hash, what) => {
    if (world.leaves.get(hash) === undefined || (what && world.leaves.get(hash) !== what))
      wrong(where, `names ${hash}, which is no earlier ${what ?? 'entry'}`);
  };
  if (kind === 'probe') enrol(where, lines, field);
  if (kind === 'config')
    addBody(where, { year, hash: field('projection')[1], bytes: whole(field('projection')[0]) });
  if (kind === 'maint' && field('cancel')[0]) earlier(field('cancel')[0], 'maint');
  if (kind === 'annot') earlier(field('of')[0]);
  if (kind === 'action') for (const [hash] of fields('evidence')) earlier(hash);
  if (kind === 'batch') readBatch({ where, year, index, leaf, key, field, fields, earlier });
  world.leaves.set(leaf, kind);
  world.counts.set(kind, (world.counts.get(kind) ?? 0) + 1);
}

function enrol(where, lines, field) {
  const key = keyOf(field('key')[0] ?? '');
  const [act, id] = (lines[2] ?? '').split(' ');
  if (!key || key.name !== id || !['enrol', 'revoke'].includes(act))
    return wrong(where, 'does not enrol or revoke a key of that name');
  // A revoked key goes on to be known: batches of minutes before the revocation may come after it.
  if (act === 'enrol') world.probes.set(key.vkey, key);
  else if (!world.probes.has(key.vkey)) wrong(where, 'revokes a key that was not enrolled');
}

function readBatch({ where, year, index, leaf, key, field, fields, earlier }) {
  const [epoch, number] = [whole(field('epoch')[0]), whole(field('number')[0])];
  const [prev, config] = [field('prev')[0], field('config')[0]];
  const [tipSize, tipRoot] = [whole(field('tip')[0]), field('tip')[1]];
  const minutes = field('minutes').map(whole);
  if (
    [epoch, number, tipSize, ...minutes].includes(undefined) ||
    minutes.length !== 2 ||
    !isHash(prev) ||
    !isHash(tipRoot)
  )
    return wrong(where, 'is not a batch: a number or a hash is none');
  if (field('probe')[0] !== key.name) wrong(where, 'is signed by another probe than it names');
  if (world.leaves.has(leaf)) wrong(where, 'is in the log already');
  earlier(config, 'config');
  world.tips.push({ where, year, index, size: tipSize, root: tipRoot });
  const name = `${key.vkey} ${epoch}`;
  const one = world.epochs.get(name) ?? { probe: key.name, epoch, numbers: new Map(), gaps: [] };
  world.epochs.set(name, one);
  const same = one.numbers.get(number) ?? [];
  if (same.length > 0) {
    world.contradictions += 1;
    say(
      `CONTRADICTION ${where}: ${key.name} signed two batches ${number} of epoch ${epoch}, the other is ${same[0].where}; that epoch counts for nothing from there`,
    );
  }
  one.numbers.set(number, [...same, { leaf, prev, where }]);
  for (const [first, last] of fields('gap')) one.gaps.push([whole(first), whole(last)]);
  for (const [service, count, bytes, hash] of fields('body'))
    addBody(where, { year, hash, bytes: whole(bytes), lines: whole(count), service, minutes });
}

function addBody(where, body) {
  if (!isHash(body.hash) || body.bytes === undefined)
    return wrong(where, 'names a body without a hash or a length');
  const name = `${body.hash} ${body.bytes} ${body.lines} ${body.service}`;
  if (!world.bodies.has(name)) world.bodies.set(name, { ...body, where });
}

/** Each batch names the one before; a number that is missing was declared as dropped. */
function checkChains() {
  for (const { probe, epoch, numbers, gaps } of world.epochs.values()) {
    const of = `probe ${probe}, epoch ${epoch}`;
    let next = 0;
    for (const number of [...numbers.keys()].sort((a, b) => a - b)) {
      for (; next < number; next += 1) {
        const gap = gaps.find(([first, last]) => first <= next && next <= last);
        if (!gap) {
          wrong(of, `batches ${next} to ${number - 1} are neither in the log nor declared as dropped`);
          break;
        }
        next = Math.min(gap[1], number - 1);
      }
      next = number + 1;
      const before = numbers.get(number - 1)?.map(({ leaf }) => leaf);
      for (const { prev, where } of numbers.get(number)) {
        if (number === 0 ? prev !== ZERO : before && !before.includes(prev))
          wrong(where, `does not name batch ${number - 1} of ${of} as the one before`);
      }
    }
  }
}

/** The roots of a year's tree at the sizes that batches name. */
function rootsOf({ leaves }, sizes) {
  const tree = new Tree();
  const roots = new Map();
  for (const leaf of leaves) {
    tree.append(leaf);
    if (sizes.has(tree.size)) roots.set(tree.size, tree.root());
  }
  return roots;
}

/** The roots that probes have found consistent lie on the trees of these logs, not after the entry that names them. */
function checkTips(years) {
  const sizes = new Set(world.tips.map(({ size }) => size));
  const trees = years.map((log) => ({ year: log.year, roots: rootsOf(log, sizes) }));
  for (const { where, year, index, size, root } of world.tips) {
    const isOn = (tree) =>
      tree.roots.get(size) === root && (tree.year < year || (tree.year === year && size <= index));
    if (size === 0 ? root !== EMPTY_ROOT : !trees.some(isOn))
      wrong(where, `its probe saw a tree of ${size} entries with the root ${root}, which this log never was`);
  }
}

async function checkBodies(base) {
  let [served, kept] = [0, 0];
  await each([...world.bodies.values()], async (body) => {
    const hex = Buffer.from(body.hash, 'base64').toString('hex');
    const bytes = await fetchBytes(base, `${body.year}/body/${hex}`);
    if (!bytes) return void (kept += 1);
    served += 1;
    const where = `${body.where}, body ${hex}`;
    if (base64(sha256(bytes)) !== body.hash || bytes.length !== body.bytes)
      return wrong(where, 'is not the one that the entry commits to');
    if (body.service === undefined) return undefined;
    const lines = bytes.toString('utf8').split('\n');
    if (lines.pop() !== '' || lines.length !== body.lines)
      return wrong(where, `does not have ${body.lines} lines`);
    const [first, last] = body.minutes;
    for (const [i, line] of lines.entries()) {
      const minute = Math.floor(Number(line.split(' ')[1]) / 60_000);
      if (
        !line.startsWith(`${body.service}/`) ||
        (i > 0 && line < lines[i - 1]) ||
        !(minute >= first && minute <= last)
      )
        return wrong(where, `line ${i + 1} is of another service or minute, or out of order`);
    }
    return undefined;
  });
  return { served, kept };
}

// ------------------------------------------------------------------- walk

async function readKeys(base, given) {
  const text = (await fetchBytes(base, 'keys'))?.toString('utf8') ?? '';
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '));
  const of = (word) => lines.filter(([first]) => first === word).map(([, vkey]) => vkey);
  const operator = given.operator ?? of('operator')[0];
  if (operator === undefined)
    throw new CannotAsk(`${base}/keys: there are no keys, give --operator-key and --log-key`);
  world.operator = keyOf(operator);
  if (!world.operator) throw new CannotAsk(`not a verifier key: ${operator}`);
  if (given.operator && of('operator').some((vkey) => vkey !== given.operator))
    wrong('keys', 'the operator key is not the one that was given');
  for (const vkey of given.logs)
    if (lines.length > 0 && !of('log').includes(vkey)) wrong('keys', `the log does not have the key ${vkey}`);
  const logs = [...new Set([...given.logs, ...of('log')])]
    .map((vkey) => keyOf(vkey) ?? wrong('keys', `not a verifier key: ${vkey}`))
    .filter(Boolean);
  world.origin = world.operator.name;
  say(
    given.operator
      ? `operator ${operator}: as given`
      : `operator ${operator}: as the log itself says; ask for it by another way`,
  );
  const years = new Map();
  for (const key of logs) {
    const year = key.name.startsWith(`${world.origin}/`)
      ? whole(key.name.slice(world.origin.length + 1))
      : undefined;
    if (year === undefined || years.has(year))
      wrong('keys', `${key.name} is not the only key of a year of ${world.origin}`);
    else years.set(year, key);
    say(
      given.logs.includes(key.vkey) ? `log ${key.vkey}: as given` : `log ${key.vkey}: as the log itself says`,
    );
  }
  return [...years].sort(([a], [b]) => a - b);
}

async function witnessesOf(base) {
  const text = (await fetchBytes(base, 'policy'))?.toString('utf8') ?? '';
  const found = text
    .split('\n')
    .map((line) => line.trim().split(/[ \t]+/))
    .filter(([word]) => word === 'witness');
  return found.map(([, , vkey]) => keyOf(vkey ?? '', 4)).filter(Boolean);
}

/** How many witnesses of the log's own policy have cosigned; a cosignature that does not fit is a mismatch. */
function cosigned(where, note, witnesses) {
  return witnesses.filter((witness) => {
    const line = note.signatures.find(ofKey(witness));
    if (!line) return false;
    const text =
      line.bytes.length === 72 ? `cosignature/v1\ntime ${line.bytes.readBigUInt64BE(0)}\n${note.text}` : '';
    const fits = text !== '' && witness.fits(text, line.bytes.subarray(8));
    if (!fits) wrong(where, `the cosignature of ${witness.name} does not fit`);
    return fits;
  }).length;
}

/** One year; undefined when it has no good checkpoint. `before` is the year before it, if that has a log. */
async function walkYear(base, { year, key, before, witnesses }) {
  const bytes = await fetchBytes(base, `${year}/checkpoint`);
  if (!bytes) return wrong(`${year}/checkpoint`, 'is not there');
  const note = noteOf(bytes);
  const checkpoint = checkpointOf(note, key);
  if (checkpoint.error) return wrong(`${year}/checkpoint`, checkpoint.error);
  const { size, root, own } = checkpoint;
  const leaves = [];
  const tree = new Tree();
  for await (const entry of entriesOf(base, year, size)) {
    const index = leaves.length;
    leaves.push(leafOf(entry));
    tree.append(leaves[index]);
    if (index > 0 || !before) readEntry(entry, year, index);
    else if (entry.toString('utf8') !== before.closing)
      wrong(`${year} entry 0`, `is not the last checkpoint of ${before.year}`);
  }
  if (leaves.length !== size)
    return wrong(year, `${leaves.length} entries where the checkpoint says ${size}`);
  if (tree.root() !== root)
    wrong(`${year}/checkpoint`, `its root is ${root}, the entries give ${tree.root()}`);
  const tiles = await checkTiles(base, year, leaves);
  say(
    `${year}: ${size} entries, root ${root}, ${tiles} tiles, ${cosigned(`${year}/checkpoint`, note, witnesses)} of ${witnesses.length} witnesses`,
  );
  return { year, leaves, closing: `${note.text}\n${own.line}\n` };
}

async function walk(base, given) {
  const witnesses = await witnessesOf(base);
  const years = [];
  const keys = await readKeys(base, given);
  if (keys.length === 0) wrong('keys', 'there is no log');
  for (const [year, key] of keys) {
    const log = await walkYear(base, { year, key, before: years.at(-1), witnesses });
    // Without this year nothing of the next can be held against it.
    if (!log) break;
    years.push(log);
  }
  checkChains();
  checkTips(years);
  const bodies = await checkBodies(base);
  const kinds = [...world.counts].sort().map(([kind, count]) => `${count} ${kind}`);
  say(
    `entries: ${kinds.join(', ') || 'none'}; each a note signed by a key that the log had enrolled, each name of another one resolved`,
  );
  say(`batches: ${world.epochs.size} epochs, each a chain; ${world.contradictions} numbers signed twice`);
  say(`bodies: ${bodies.served} as committed to, ${bodies.kept} not published`);
}

function argumentsOf(words) {
  const given = { url: undefined, logs: [], operator: undefined };
  for (let i = 0; i < words.length; i += 1) {
    const next = words[i + 1];
    if (words[i] === '--log-key' && next !== undefined) given.logs.push(words[(i += 1)]);
    else if (words[i] === '--operator-key' && next !== undefined) given.operator = words[(i += 1)];
    else if (given.url === undefined && /^https?:\/\//.test(words[i]))
      given.url = words[i].replace(/\/+$/, '');
    else return undefined;
  }
  return given.url === undefined ? undefined : given;
}

const given = argumentsOf(process.argv.slice(2));
if (!given) {
  process.stderr.write('usage: node walk.mjs URL [--log-key VKEY]… [--operator-key VKEY]\n');
  process.exitCode = 2;
} else {
  try {
    await walk(given.url, given);
    say(mismatches.length === 0 ? 'all of it fits' : `${mismatches.length} mismatches`);
    process.exitCode = mismatches.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CannotAsk)) throw error;
    process.stderr.write(`cannot ask: ${error.message}\n`);
    process.exitCode = 2;
  }
}
