import { describe, expect, test } from 'vitest';
import { sha256 } from '../../keys.ts';
import { type Batch, type BodyRef, bodyRefs, parseBatchText } from '../batch.ts';
import { ZERO_HASH } from '../leaf-hash.ts';
import { WORLD_ORIGIN, newWorld, worldKey } from '../testing/world.ts';
import { readBody, readRecords } from './evidence.ts';

const good = ['rpc/a/http 60000 ok 1 -', 'rpc/a/http 90000 fail 1 target.connect.refused'];
const bodyOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

function batchOf(body: string, change: Partial<BodyRef> = {}): { batch: Batch; ref: BodyRef; body: string } {
  const [made] = bodyRefs(new Map([['rpc', body]]), sha256);
  const ref = { ...(made as BodyRef), ...change };
  const batch: Batch = {
    origin: WORLD_ORIGIN,
    probe: 'eu-1',
    epoch: 1,
    number: 0,
    prev: ZERO_HASH,
    minutes: { first: 1, last: 1 },
    config: ZERO_HASH,
    clock: { boundMs: 1, ageS: 0 },
    tip: { size: 0, root: ZERO_HASH },
    gaps: [],
    bodies: [ref],
  };
  return { batch, ref, body };
}

const read = ({ batch, ref, body }: ReturnType<typeof batchOf>): ReturnType<typeof readBody> =>
  readBody(ref, batch, new Map([[ref.hash, body]]), sha256);

describe('a body', () => {
  test('that fits is read whole', () => {
    expect(read(batchOf(bodyOf(good)))).toEqual(good);
  });
  test('that is missing is named', () => {
    const { batch, ref } = batchOf(bodyOf(good));
    expect(readBody(ref, batch, new Map(), sha256)).toEqual({ error: 'the body of rpc is missing' });
  });
  test.each<[string, ReturnType<typeof batchOf>]>([
    ['another number of lines', batchOf(bodyOf(good), { lines: 3 })],
    ['another number of bytes', batchOf(bodyOf(good), { bytes: 7 })],
    ['another hash', { ...batchOf(bodyOf(good)), body: bodyOf(good).replace('fail 1', 'fail 2') }],
    ['lines out of order', batchOf(bodyOf([...good].reverse()))],
    ['no line feed at its end', batchOf(bodyOf(good).slice(0, -1))],
    ['a malformed line', batchOf(bodyOf([...good, 'rpc/a/http 95000 up 1 -']))],
    ['a line of another service', batchOf(bodyOf([...good, 'web/a/http 90000 ok 1 -']))],
    ['a line of a service whose id begins alike', batchOf(bodyOf([...good, 'rpc2/a/http 90000 ok 1 -']))],
    ['a line due after its minutes', batchOf(bodyOf(['rpc/a/http 120000 ok 1 -']))],
    ['a line due before its minutes', batchOf(bodyOf(['rpc/a/http 59999 ok 1 -']))],
  ])('with %s is left out whole', (_name, made) => {
    expect(read(made)).toHaveProperty('error');
  });
});

describe('leaves', () => {
  const world = newWorld(sha256);
  world.enrol('eu-1', 'eu', 0);
  world.maintain(['rpc'], 1, 2);
  world.batch('eu-1', good, { config: ZERO_HASH });
  const { leaves, bodies } = world.evidence();

  test('are sorted by index, each once', () => {
    const records = readRecords({ leaves: [...leaves].reverse().concat(leaves), bodies }, sha256);
    expect([records.probes, records.maints, records.batches].map((list) => list.map((r) => r.index))).toEqual(
      [[0], [1], [2]],
    );
    expect(records.problems).toEqual([]);
  });
  test('that are malformed are named, and those of other types passed over', () => {
    const key = worldKey('operator', sha256);
    const texts = [
      'highwater/action/v1\nlog x\n',
      'highwater/probe/v1\nlog x\n',
      'highwater/batch/v1\n',
      'highwater/maint/v1\n',
    ];
    const bad = texts.map((text, i) => ({ index: 10 + i, key, hash: ZERO_HASH, text }));
    const { problems } = readRecords({ leaves: bad, bodies }, sha256);
    expect(problems.map((problem) => problem.slice(0, 8))).toEqual(['leaf 11:', 'leaf 12:', 'leaf 13:']);
  });
  test('a configuration without its projection, or with another, is left out', () => {
    const configured = newWorld(sha256);
    const empty = {
      seed: '0'.repeat(32),
      regions: [],
      probes: [],
      controls: [],
      chains: [],
      services: [],
      monitors: [],
    };
    configured.config(empty, 5);
    const made = configured.evidence();
    expect(readRecords(made, sha256).configs).toHaveLength(1);
    const [hash = ''] = made.bodies.keys();
    for (const other of [new Map<string, string>(), new Map([[hash, 'highwater/projection/v1\n']])]) {
      const records = readRecords({ leaves: made.leaves, bodies: other }, sha256);
      expect(records.configs).toHaveLength(0);
      expect(records.problems[0]).toMatch(/^leaf 0: its projection/);
    }
  });
  test('a configuration whose projection has another length than it says is left out', () => {
    const configured = newWorld(sha256);
    configured.config(
      { seed: '0'.repeat(32), regions: [], probes: [], controls: [], chains: [], services: [], monitors: [] },
      5,
    );
    const made = configured.evidence();
    const leaves = made.leaves.map((leaf) => ({
      ...leaf,
      text: leaf.text.replace(/projection [0-9]+/, 'projection 1'),
    }));
    expect(readRecords({ ...made, leaves }, sha256).configs).toHaveLength(0);
  });
  test('a batch that stands in the log twice is one, at its lower index', () => {
    const twice = leaves.concat(leaves.map((leaf) => ({ ...leaf, index: leaf.index + 50 })));
    expect(readRecords({ leaves: twice, bodies }, sha256).batches.map((b) => b.index)).toEqual([2]);
    expect(parseBatchText(leaves[2]?.text ?? '')).not.toHaveProperty('error');
  });
});
