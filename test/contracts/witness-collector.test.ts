/** A whole collector with a witness beside it: what readers of /log and operators get to see. */
import {
  cosignaturesOf,
  openCheckpoint,
  parseVerifier,
  parseWitnessVerifier,
  sha256,
} from '@highwater/config/keys.ts';
import { parsePolicy, policyMet } from '@highwater/config/proof/policy.ts';
import { operatorStatus } from '@highwater/config/wire.ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testHouse } from '../../collector/src/testing/config.ts';
import {
  dropDataDir,
  type House,
  jsonSource,
  newDataDir,
  openHouse,
} from '../../collector/src/testing/house.ts';
import { StandardWitness } from '../fixtures/witness.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

const year = new Date().getUTCFullYear();
let dataDir: string;
let witness: StandardWitness;
let house: House;

beforeEach(async () => {
  dataDir = newDataDir();
  witness = await new StandardWitness().start();
});

afterEach(async () => {
  await house.stop();
  await witness.stop();
  dropDataDir(dataDir);
});

async function open(): Promise<House> {
  const { config } = testHouse();
  const list = [{ id: 'w1', url: witness.url, key: witness.vkey, everyMs: 0 }];
  const file = { text: JSON.stringify({ ...config, witnesses: { quorum: 1, list } }) };
  return openHouse({ ...config, witnesses: { quorum: 1, list } }, dataDir, undefined, jsonSource(file));
}

const read = async (path: string): Promise<string> => {
  const answer = await house.get(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.text();
};

const becomes = <T>(look: () => Promise<T>): Promise<T> =>
  vi.waitFor(look, { timeout: 40_000, interval: 50 });

const logOf = async () =>
  operatorStatus.parse(
    await (await house.get('/v1/status', { authorization: `Bearer ${house.token}` })).json(),
  ).log;

it('a checkpoint is published without it, and has its cosignature once the witness knows the log', async () => {
  house = await open();
  const policy = parsePolicy(await becomes(() => read('/log/policy')), sha256);
  if ('error' in policy) throw new Error(policy.error);
  const [log] = policy.logs;
  const [named] = policy.witnesses;
  const bare = await becomes(() => read(`/log/${year}/checkpoint`));
  const logKey = parseVerifier(log?.vkey ?? '');
  const cosigners = (note: string) => {
    const opened = openCheckpoint(note, logKey);
    if ('error' in opened) throw new Error(opened.error);
    return cosignaturesOf(opened.note, [parseWitnessVerifier(named?.vkey ?? '')]);
  };
  expect(cosigners(bare)).toEqual([]);
  await becomes(async () =>
    expect((await logOf())?.witnesses).toMatchObject([{ error: expect.stringContaining('404') as string }]),
  );
  expect(await logOf()).toMatchObject({ quorum: false });

  witness.add(logKey.vkey);
  await becomes(async () => expect(cosigners(await read(`/log/${year}/checkpoint`))).toHaveLength(1));
  expect(policyMet(policy, ['w1'])).toBe(true);
  expect(policyMet(policy, [])).toBe(false);
  await becomes(async () =>
    expect(await logOf()).toMatchObject({ quorum: true, witnesses: [{ name: 'w1' }] }),
  );
  const metrics = await read('/metrics');
  expect(metrics).toMatch(/^highwater_witness_size\{witness="w1"\} [1-9]/m);
  expect(metrics).toMatch(/^highwater_witness_errors_total\{witness="w1",error="failed"\} [1-9]/m);
});

it('a witness that has cosigned more than this store signed stops the signing, and the rest goes on', async () => {
  house = await open();
  const policy = parsePolicy(await becomes(() => read('/log/policy')), sha256);
  if ('error' in policy) throw new Error(policy.error);
  const origin = `${testHouse().config.origin}/${year}`;
  witness.heads.set(origin, { size: 1_000, root: Buffer.alloc(32, 7).toString('base64') });
  witness.add(policy.logs[0]?.vkey ?? '');
  const { refused } = await becomes(async () => {
    const log = await logOf();
    if (!log?.refused) throw new Error('it signs on');
    return { refused: log.refused };
  });
  expect(refused.because).toContain(`witness w1 knows 1000 entries of ${origin}`);
  expect(refused.remedy).toContain('highwater restore');
  expect((await house.get('/healthz')).status).toBe(200);
  expect((await house.get('/v1/snapshot')).status).toBe(200);

  // Whoever was wrong is taken out, while it runs.
  const without = JSON.stringify(testHouse().config);
  const authorization = `Bearer ${house.token}`;
  expect((await house.post('/v1/config', without, 'text/yaml', { authorization })).status).toBe(200);
  await becomes(async () => expect(await logOf()).not.toHaveProperty('refused'));
  await becomes(async () => expect((await logOf())?.pending).toBe(0));
});
