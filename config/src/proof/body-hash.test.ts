import { createHash, createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bodyRefs } from './batch.ts';
import { bodyHash, howCommitted, saltOf } from './body-hash.ts';
import { utf8 } from './bytes.ts';

const hash = (data: Uint8Array) => new Uint8Array(createHash('sha256').update(data).digest());
const line = (dueAt: number, latency: number) => `rpc/a/head ${dueAt} fail ${latency} target.tcp.refused\n`;

describe('a salted hash', () => {
  it.each([0, 1, 31, 32, 63, 64, 65, 200])('is HMAC-SHA-256, with a key of %i bytes', (length) => {
    const key = new Uint8Array(length).fill(7);
    for (const text of ['', 'a', line(1, 2), 'x'.repeat(10_000)]) {
      expect(bodyHash(utf8(text), key, hash)).toBe(createHmac('sha256', key).update(text).digest('base64'));
    }
  });

  it('is not found by trying every line that it could be, where the bare one is', () => {
    const dueAt = 1_795_000_020_000;
    const bodies = new Map([['rpc', line(dueAt, 1_234)]]);
    const salts = new Map([['rpc', saltOf(randomBytes(32), 'rpc', hash)]]);
    const guesses = Array.from({ length: 2_000 }, (_, latency) =>
      bodyHash(utf8(line(dueAt, latency)), undefined, hash),
    );
    const [plain] = bodyRefs(bodies, hash);
    const [salted] = bodyRefs(bodies, hash, salts);
    expect(guesses).toContain(plain?.hash);
    expect(guesses).not.toContain(salted?.hash);
    expect({ ...salted, hash: '' }).toEqual({ ...plain, hash: '' });
  });
});

it('each service has a salt of its own, the same each time', () => {
  const [one, other] = [randomBytes(32), randomBytes(32)];
  const texts = [one, other].flatMap((secret) => ['rpc', 'web'].map((id) => saltOf(secret, id, hash).join()));
  expect(new Set(texts).size).toBe(4);
  expect(saltOf(one, 'rpc', hash).join()).toBe(texts[0]);
});

it('a body fits plainly or under its salt, and no other does', () => {
  const [body, salt, another] = [utf8(line(1, 2)), randomBytes(32), randomBytes(32)];
  const ref = (of: Uint8Array, under?: Uint8Array) => ({ bytes: of.length, hash: bodyHash(of, under, hash) });
  expect(howCommitted(ref(body), body, undefined, hash)).toBe('plain');
  expect(howCommitted(ref(body), body, salt, hash)).toBe('plain');
  expect(howCommitted(ref(body, salt), body, salt, hash)).toBe('salted');
  expect(howCommitted(ref(body, salt), body, undefined, hash)).toBeUndefined();
  expect(howCommitted(ref(body, salt), body, another, hash)).toBeUndefined();
  expect(howCommitted(ref(body, salt), utf8(line(1, 3)), salt, hash)).toBeUndefined();
  expect(howCommitted({ ...ref(body), bytes: 1 }, body, salt, hash)).toBeUndefined();
});
