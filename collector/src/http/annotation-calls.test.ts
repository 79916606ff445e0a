/** POST /v1/annotations of a collector. */
import { annotationWritten, operatorStatus, refused } from '@highwater/config/wire.ts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, eventually, newDataDir, openHouse, type House } from '../testing/house.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

let dataDir: string;
let house: House;
/** Leaf hash of the first entry, the configuration's. */
let of: string;

const post = (body: unknown): Promise<Response> =>
  house.post('/v1/annotations', JSON.stringify(body), 'application/json', {
    authorization: `Bearer ${house.token}`,
  });

beforeAll(async () => {
  dataDir = newDataDir();
  house = await openHouse(testHouse().config, dataDir);
  const first = `${new Date().getUTCFullYear()}/0`;
  // The log waits for its probes before it signs, and what is not signed has no place.
  const written = await eventually(async () => {
    const answer = await post({ of: first, text: 'The first entry.' });
    return answer.ok && annotationWritten.parse(await answer.json());
  }, 30_000);
  of = written.of;
});
afterAll(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

describe('a remark', () => {
  it('is written once, of a leaf hash as of its place, and comes into the tree', async () => {
    const first = annotationWritten.parse(await (await post({ of, text: ' Moved to new disks.\n' })).json());
    expect(first).toMatchObject({ result: 'written', of });
    const hex = Buffer.from(of, 'base64').toString('hex');
    const again = annotationWritten.parse(
      await (await post({ of: hex, text: 'Moved to new disks.' })).json(),
    );
    expect(again).toMatchObject({ result: 'held', leaf: first.leaf, of });
    const { log } = operatorStatus.parse(await house.json('/v1/status'));
    const all = (log?.size ?? 0) + (log?.pending ?? 0);
    const placed = await eventually(async () => {
      const answer = await post({ of: `${log?.year}/${all - 1}`, text: 'Of the remark.' });
      return answer.ok && annotationWritten.parse(await answer.json());
    });
    expect(placed.of).toBe(first.leaf);
  });

  const hex = 'ab'.repeat(32);
  it.each<[string, object, number, string]>([
    ['no text', { text: '  ' }, 400, 'text: there is none'],
    ['too much', { text: 'x'.repeat(2_001) }, 400, 'text: it has 2001 characters'],
    ['two lines', { text: 'a\nb' }, 400, 'text: it has a line end'],
    ['what drives a terminal', { text: 'a\u001b[2Jb' }, 400, 'or a character that controls'],
    ['what turns the direction', { text: 'a\u202eb' }, 400, 'turns the direction'],
    ['half a character', { text: 'a\ud800b' }, 400, 'is not seen'],
    ['no name of an entry', { of: 'yesterday' }, 400, 'of: it names no entry'],
    ['a name that is too long', { of: '1'.repeat(101) }, 400, 'of: '],
    ['more', { secret: 1 }, 400, 'the body: '],
    ['an unknown leaf', { of: hex }, 404, `the log has no entry ${hex}`],
    ['an unknown place', { of: '2026/999999' }, 404, 'the log has no entry 2026/999999'],
  ])('of %s is refused, with what to write', async (_, wrong, status, error) => {
    const answer = await post({ of, text: 'A remark.', ...wrong });
    const said = refused.parse(await answer.json());
    expect([answer.status, said.error]).toEqual([status, expect.stringContaining(error)]);
    expect(said.remedy).toBeTruthy();
  });

  it('takes a token', async () => {
    const body = JSON.stringify({ of, text: 'A remark.' });
    expect((await house.post('/v1/annotations', body, 'application/json')).status).toBe(401);
  });
});
