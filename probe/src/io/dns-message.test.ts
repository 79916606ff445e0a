import fc from 'fast-check';
import * as packet from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { type DnsType, dnsTypes, FaultError } from '@highwater/config/kinds.ts';
import { answers, decodeAnswer, encodeQuestion } from './dns-message.ts';
import { normalName, normalValue } from './dns-value.ts';

const asked = (type: DnsType = 'A') => encodeQuestion(7, { name: 'rpc.hw.test', type, recurse: false });

/** As another implementation writes it, compression apart. */
const encoded = (records: readonly packet.Answer[], type: DnsType = 'A') =>
  packet.encode({
    type: 'response',
    id: 7,
    flags: packet.AUTHORITATIVE_ANSWER,
    questions: [{ name: 'rpc.hw.test', type }],
    answers: [...records],
  });

const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,10}[a-z0-9_])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
const short = fc.nat(65_535);
const data: Readonly<Record<DnsType, fc.Arbitrary<readonly [given: unknown, value: string]>>> = {
  A: fc.ipV4().map((address) => [address, address]),
  AAAA: fc
    .array(fc.constantFrom('0', '1', 'a0', 'ffff'), { minLength: 8, maxLength: 8 })
    .map((groups) => [groups.join(':'), normalValue('AAAA', groups.join(':')) ?? '']),
  CNAME: name.map((target) => [target, target]),
  NS: name.map((target) => [target, target]),
  TXT: fc
    .array(fc.string({ maxLength: 100 }), { minLength: 1, maxLength: 5 })
    .map((parts) => [parts, parts.join('')]),
  MX: fc
    .tuple(short, name)
    .map(([preference, exchange]) => [{ preference, exchange }, `${preference} ${exchange}`]),
  SRV: fc
    .tuple(short, short, short, name)
    .map(([priority, weight, port, target]) => [
      { priority, weight, port, target },
      `${priority} ${weight} ${port} ${target}`,
    ]),
  CAA: fc
    .tuple(
      fc.constantFrom(0, 128),
      fc.stringMatching(/^[a-z0-9]{1,15}$/),
      fc.stringMatching(/^[\x20-\x7e]{0,40}$/),
    )
    .map(([flags, tag, value]) => [{ flags, tag, value }, `${flags} ${tag} "${value}"`]),
  SOA: fc
    .tuple(name, name, fc.nat(4_294_967_295), fc.nat(86_400))
    .map(([mname, rname, serial, n]) => [
      { mname, rname, serial, refresh: n, retry: n, expire: n, minimum: n },
      `${mname} ${rname} ${serial} ${n} ${n} ${n} ${n}`,
    ]),
};

describe('an answer', () => {
  it.each(dnsTypes)(
    'with records of type %s reads as it was written, and as an operator writes it',
    (type) => {
      fc.assert(
        fc.property(fc.array(fc.tuple(data[type], fc.nat(2_147_483_647)), { maxLength: 5 }), (rows) => {
          const records = rows.map(
            ([[given], ttl]) => ({ type, name: 'rpc.hw.test', ttl, data: given }) as packet.Answer,
          );
          const message = encoded(records, type);
          expect(answers(message, asked(type))).toBe(true);
          const read = decodeAnswer(message, asked(type));
          expect(read.answers).toEqual(
            rows.map(([[, value], ttlSeconds]) => ({ name: 'rpc.hw.test', type, ttlSeconds, value })),
          );
          for (const { value } of read.answers) expect(normalValue(type, value)).toBe(value);
        }),
      );
    },
  );

  it('of any bytes is read or malformed, whatever they are', () => {
    const good = encoded([
      { type: 'MX', name: 'rpc.hw.test', ttl: 1, data: { preference: 1, exchange: 'mail.hw.test' } },
      { type: 'SOA', name: 'hw.test', ttl: 1, data: { mname: 'a.b', rname: 'c.d', serial: 1 } },
      { type: 'TXT', name: 'hw.test', ttl: 1, data: ['a', 'b'] },
      { type: 'CAA', name: 'hw.test', ttl: 1, data: { tag: 'issue', value: 'x' } },
    ]);
    const changes = fc.array(fc.tuple(fc.integer({ min: 4, max: good.length - 1 }), fc.nat(255)), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(changes, fc.nat(good.length), (changed, cut) => {
        const message = Buffer.from(good.subarray(0, Math.max(12, good.length - (cut % 40))));
        for (const [at, byte] of changed) if (at < message.length) message[at] = byte;
        if (!answers(message, asked())) return;
        try {
          for (const record of decodeAnswer(message, asked()).answers) {
            expect(record.name).toMatch(/^[\x21-\x7e]{1,255}$/);
            expect(record.value).not.toMatch(/\p{C}/u);
          }
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(FaultError);
          expect((thrown as FaultError).fault).toMatchObject({ operation: 'dns', code: 'malformed' });
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('keeps control characters of texts apart and visible', () => {
    const values = [
      Buffer.from('a\u001b[2J\r\n'),
      Buffer.from([0xff, 0x41]),
      Buffer.from('é'),
      Buffer.from('\u202e'),
    ].map(
      (bytes) =>
        decodeAnswer(encoded([{ type: 'TXT', name: 'rpc.hw.test', ttl: 1, data: bytes }]), asked()).answers[0]
          ?.value,
    );
    expect(values).toEqual(['a\\027[2J\\013\\010', '\\255A', 'é', '\\226\\128\\174']);
  });

  it('of 64 KiB made to be slow is read within bounds', () => {
    // Each name is a walk through sixteen pointers; longer walks are refused, so that no message costs more.
    const link = (to: number) => [0xc0 | (to >> 8), to & 255];
    const start = 12 + 17;
    const chain = [
      0,
      ...Array.from({ length: 15 }, (_, i) => link(start + 12 + (i === 0 ? 0 : 2 * i - 1))).flat(),
    ];
    const deep = link(start + 12 + 29);
    const head = Buffer.from([
      ...deep.slice(0, 0),
      0xc0,
      12,
      0xff,
      0,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      chain.length,
      ...chain,
    ]);
    const row = Buffer.from([0xc0, 12, 0, 2, 0, 1, 0, 0, 0, 0, 0, 2, ...deep]);
    const rows = 999;
    const message = Buffer.concat([
      asked().bytes.subarray(0, start),
      head,
      ...Array.from({ length: rows }, () => row),
    ]);
    message.writeUInt16BE(0x8400, 2);
    message.writeUInt16BE(rows + 1, 6);
    message.writeUInt16BE(0, 10);
    expect(decodeAnswer(message, asked()).answers.length).toBe(rows);
  });
});

describe('what operators write', () => {
  it.each<[DnsType, string, string | undefined]>([
    ['A', '192.0.2.1', '192.0.2.1'],
    ['A', '192.0.2.01', undefined],
    ['A', '2001:db8::1', undefined],
    ['AAAA', '2001:DB8:0:0::1', '2001:db8::1'],
    ['AAAA', 'fe80::1%eth0', undefined],
    ['AAAA', '192.0.2.1', undefined],
    ['CNAME', 'EU.Example.com.', 'eu.example.com'],
    ['CNAME', 'a b', undefined],
    ['NS', '.', '.'],
    ['TXT', ' as it is ', ' as it is '],
    ['MX', '10  Mail.example.com', '10 mail.example.com'],
    ['MX', '0 .', '0 .'],
    ['MX', 'mail.example.com', undefined],
    ['MX', '65536 mail.example.com', undefined],
    ['SRV', '0 5 443 rpc.example.com.', '0 5 443 rpc.example.com'],
    ['SRV', '0 5 rpc.example.com', undefined],
    ['CAA', '0 ISSUE "ca.example; a=1"', '0 issue "ca.example; a=1"'],
    ['CAA', '0 issue ca.example', undefined],
    ['CAA', '256 issue "x"', undefined],
    ['SOA', 'A.b. c.d. 1 2 3 4 5', 'a.b c.d 1 2 3 4 5'],
    ['SOA', 'a.b c.d 1 2 3 4', undefined],
    ['SOA', 'a.b c.d 4294967296 2 3 4 5', undefined],
  ])('for %s: %j is %j', (type, written, value) => {
    expect(normalValue(type, written)).toBe(value);
  });

  it.each([
    ['example.com', 'example.com'],
    ['Example.COM.', 'example.com'],
    ['_rpc._tcp.example.com', '_rpc._tcp.example.com'],
    ['*.example.com', '*.example.com'],
    ['com', 'com'],
    ['a..b', undefined],
    ['', undefined],
    ['-a.b', undefined],
    ['é.example', undefined],
    [`${'a'.repeat(64)}.b`, undefined],
    [Array.from({ length: 64 }, () => 'abc').join('.'), undefined],
  ])('the name %j is %j', (written, expected) => {
    expect(normalName(written)).toBe(expected);
  });
});
