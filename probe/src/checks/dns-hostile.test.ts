import { describe, expect, it } from 'vitest';
import { formatLine } from '@highwater/config/proof/line.ts';
import { testCheck, verdictOf } from '../../testing/check.ts';
import { nameOf, own, type Packet, packetFor, record, serveDns } from '../../testing/fake-name-server.ts';

const a = record(1, [192, 0, 2, 1]);
const pointer = (to: number) => Buffer.from([0xc0 | (to >> 8), to & 255]);
/** Where the first record begins: the header, `rpc.hw.test` in 13 bytes, type and class. */
const first = 12 + 13 + 4;
const soaNumbers = Buffer.alloc(20);
const opt = (extended: number) =>
  record(41, [], { name: Buffer.from([0]), kind: 1_232, ttl: extended << 24 });
const tooLong = nameOf(...Array.from({ length: 5 }, () => 'x'.repeat(60)));
/** As data of the first record: an empty name, and pointers each to the one before. */
const pointers = (count: number) =>
  Buffer.concat([
    Buffer.from([0]),
    ...Array.from({ length: count }, (_, i) => pointer(first + 12 + (i === 0 ? 0 : 2 * i - 1))),
  ]);
const aliases = (count: number, end: Buffer[] = []) => [
  record(5, nameOf('a0')),
  ...Array.from({ length: count - 1 }, (_, i) => record(5, nameOf(`a${i + 1}`), { name: nameOf(`a${i}`) })),
  ...end,
];

const ok = 'ok';
const malformed = (because: string) => `fail target.dns.malformed ${because}`;
const silent = 'fail target.dns.timeout';
const few = 'fail target.dns.count';
type Answer = (asked: Buffer) => Buffer | readonly Buffer[];
const packet =
  (told: Packet): Answer =>
  (asked) =>
    packetFor(asked, told);
const answer = (...answers: Buffer[]): Answer => packet({ answers });
const wrongId = (asked: Buffer) => packetFor(asked, { id: asked.readUInt16BE(0) ^ 1, answers: [a] });

const run = async (type: string, udp: Answer, timeoutMs: number) => {
  await using server = await serveDns((asked) => [udp(asked)].flat());
  const settings = { type, servers: [`127.0.0.1:${server.port}`], aa: true };
  using check = testCheck('dns', 'https://rpc.hw.test', settings, { timeoutMs });
  const seen = await check.run();
  formatLine(seen);
  return seen;
};

describe('odd datagrams', () => {
  const table: readonly (readonly [what: string, type: string, answer: Answer, verdict: string])[] = [
    ['a good one', 'A', answer(a), ok],
    ['nothing in it', 'A', () => Buffer.alloc(0), silent],
    ['one byte', 'A', () => Buffer.from([1]), silent],
    ['half a header', 'A', (asked) => packetFor(asked).subarray(0, 11), silent],
    ['a header alone', 'A', (asked) => packetFor(asked, { counts: [0, 0, 0, 0] }).subarray(0, 12), silent],
    ['the question sent back', 'A', (asked) => asked, silent],
    ['another id', 'A', wrongId, silent],
    ['another opcode', 'A', packet({ flags: 0xa400, answers: [a] }), silent],
    [
      'another name asked',
      'A',
      packet({
        question: Buffer.concat([nameOf('rpc', 'hx', 'test'), Buffer.from([0, 1, 0, 1])]),
        answers: [a],
      }),
      silent,
    ],
    [
      'another type asked',
      'A',
      packet({
        question: Buffer.concat([nameOf('rpc', 'hw', 'test'), Buffer.from([0, 2, 0, 1])]),
        answers: [a],
      }),
      silent,
    ],
    [
      'another class asked',
      'A',
      packet({
        question: Buffer.concat([nameOf('rpc', 'hw', 'test'), Buffer.from([0, 1, 0, 3])]),
        answers: [a],
      }),
      silent,
    ],
    ['two questions', 'A', packet({ counts: [2, 1, 0, 0], answers: [a] }), silent],
    ['no question', 'A', packet({ counts: [0, 1, 0, 0], question: Buffer.alloc(0), answers: [a] }), silent],
    [
      'another id, then the right one',
      'A',
      (asked) => [wrongId(asked), packetFor(asked, { answers: [a] })],
      ok,
    ],
    [
      'a thousand others',
      'A',
      (asked) => Array.from({ length: 1_000 }, () => wrongId(asked)),
      malformed('100 datagrams that answer something else'),
    ],
    [
      'capitals',
      'A',
      packet({
        question: Buffer.concat([nameOf('RPC', 'hW', 'test'), Buffer.from([0, 1, 0, 1])]),
        answers: [a],
      }),
      ok,
    ],
    [
      'FORMERR with a header alone',
      'A',
      (asked) => packetFor(asked, { flags: 0x8001, counts: [0, 0, 0, 0], question: Buffer.alloc(0) }),
      'fail target.dns.rcode',
    ],
    ['BADVERS', 'A', packet({ counts: [1, 0, 0, 1], rest: opt(1) }), 'fail target.dns.rcode'],
    ['an OPT that does not belong there', 'A', answer(opt(1), a), ok],
    ['no records', 'A', packet({}), few],
    [
      'one record fewer than it says',
      'A',
      packet({ counts: [1, 2, 0, 0], answers: [a] }),
      malformed('fewer records than the 2 it says'),
    ],
    [
      'one record more than it says',
      'A',
      packet({ counts: [1, 1, 0, 0], answers: [a, a] }),
      malformed('16 bytes after its last record'),
    ],
    [
      '65535 records said',
      'A',
      packet({ counts: [1, 65_535, 65_535, 65_535], answers: [a] }),
      malformed('196605 records, more than 1000'),
    ],
    [
      'a byte behind the last record',
      'A',
      packet({ answers: [a], rest: Buffer.from([0]) }),
      malformed('1 bytes after its last record'),
    ],
    [
      'half a record',
      'A',
      packet({ counts: [1, 1, 0, 0], answers: [a.subarray(0, 8)] }),
      malformed('it ends within a record'),
    ],
    [
      'data longer than the message',
      'A',
      answer(record(1, [192, 0, 2, 1], { length: 5 })),
      malformed('data of a record longer than the message'),
    ],
    [
      '65535 bytes of data said',
      'A',
      answer(record(1, [192, 0, 2, 1], { length: 65_535 })),
      malformed('data of a record longer than the message'),
    ],
    [
      'an address of 3 bytes',
      'A',
      answer(record(1, [192, 0, 2])),
      malformed('data of 3 bytes in a record of type A'),
    ],
    [
      'an address of 5 bytes',
      'A',
      answer(record(1, [192, 0, 2, 1, 1])),
      malformed('data of 5 bytes in a record of type A'),
    ],
    [
      'an IPv6 address of 4 bytes',
      'AAAA',
      answer(record(28, [192, 0, 2, 1])),
      malformed('data of 4 bytes in a record of type AAAA'),
    ],
    [
      'a name that points to itself',
      'A',
      answer(record(1, [192, 0, 2, 1], { name: pointer(first) })),
      malformed('a name with a pointer that does not lead back'),
    ],
    [
      'a name that points ahead',
      'A',
      answer(record(1, [192, 0, 2, 1], { name: pointer(first + 14) }), a),
      malformed('a name with a pointer that does not lead back'),
    ],
    [
      'a name that points beyond the end',
      'A',
      answer(record(1, [192, 0, 2, 1], { name: pointer(0x3fff) })),
      malformed('a name with a pointer that does not lead back'),
    ],
    [
      'a name that points into the header',
      'A',
      answer(record(1, [192, 0, 2, 1], { name: pointer(4) })),
      malformed('a name with a pointer that does not lead back'),
    ],
    [
      'two names that point to each other',
      'NS',
      answer(record(2, pointer(first + 26)), record(2, pointer(first + 12))),
      malformed('a name with a pointer that does not lead back'),
    ],
    [
      '16 pointers in a row',
      'NS',
      answer(record(65_280, pointers(15)), record(2, pointer(first + 12 + 29))),
      ok,
    ],
    [
      '17 pointers in a row',
      'NS',
      answer(record(65_280, pointers(16)), record(2, pointer(first + 12 + 31))),
      malformed('a name of over 16 pointers'),
    ],
    [
      'a label of an unknown kind',
      'A',
      answer(record(1, [192, 0, 2, 1], { name: Buffer.from([0x41, 0x61, 0]) })),
      malformed('a name with a label of an unknown kind'),
    ],
    [
      'a label of another unknown kind',
      'A',
      answer(record(1, [192, 0, 2, 1], { name: Buffer.from([0x81, 0x61, 0]) })),
      malformed('a name with a label of an unknown kind'),
    ],
    [
      'a name without an end',
      'A',
      packet({ counts: [1, 1, 0, 0], answers: [Buffer.from([63, 0x61])] }),
      malformed('a name that does not end'),
    ],
    [
      'half a pointer',
      'A',
      packet({ counts: [1, 1, 0, 0], answers: [Buffer.from([0xc0])] }),
      malformed('a name that does not end'),
    ],
    [
      'a name of over 255 bytes',
      'A',
      answer(record(1, [192, 0, 2, 1], { name: tooLong })),
      malformed('a name of over 255 bytes'),
    ],
    [
      'an alias that points to itself',
      'A',
      answer(record(5, pointer(first + 12))),
      malformed('a name with a pointer that does not lead back'),
    ],
    [
      'an alias with bytes behind it',
      'A',
      answer(record(5, Buffer.concat([own, own]))),
      malformed('data of 4 bytes in a record of type CNAME'),
    ],
    [
      'an alias that ends in the next record',
      'A',
      answer(record(5, nameOf('abc').subarray(0, 2)), a),
      malformed('a name that does not end'),
    ],
    [
      'a name with control characters',
      'CNAME',
      answer(record(5, nameOf('a\r\nb'))),
      malformed('a name with characters that no name here may have'),
    ],
    [
      'an owner with control characters',
      'A',
      answer(record(1, [192, 0, 2, 1], { name: nameOf('\u001b[2J') }), a),
      malformed('a name with characters that no name here may have'),
    ],
    [
      'a name with bytes beyond ASCII',
      'CNAME',
      answer(record(5, nameOf(Buffer.from([0xff, 0xfe])))),
      malformed('a name with characters that no name here may have'),
    ],
    ['an MX of one byte', 'MX', answer(record(15, [0])), malformed('a name that does not end')],
    [
      'an SRV without a name',
      'SRV',
      answer(record(33, [0, 0, 0, 0, 1, 187])),
      malformed('a name that does not end'),
    ],
    [
      'an SOA without numbers',
      'SOA',
      answer(record(6, Buffer.concat([own, own]))),
      malformed('data of 4 bytes in a record of type SOA'),
    ],
    [
      'an SOA with one name',
      'SOA',
      answer(record(6, Buffer.concat([own, soaNumbers]))),
      malformed('data of 22 bytes in a record of type SOA'),
    ],
    ['a good SOA', 'SOA', answer(record(6, Buffer.concat([own, own, soaNumbers]))), ok],
    ['a text longer than its data', 'TXT', answer(record(16, [9, 0x61])), malformed('Buffer overflow')],
    [
      'a tag longer than its data',
      'CAA',
      answer(record(257, [0, 9, 0x61])),
      malformed('a CAA record whose tag does not fit'),
    ],
    [
      'a tag of no letters',
      'CAA',
      answer(record(257, [0, 0, 0x61])),
      malformed('a CAA record whose tag does not fit'),
    ],
    ['nothing in a CAA', 'CAA', answer(record(257, [])), malformed('a CAA record whose tag does not fit')],
    ['a type that nobody asked for', 'A', answer(record(65_280, [0xc0, 0xff]), a), ok],
    ['another class', 'A', answer(record(1, [192, 0, 2, 1], { kind: 3 })), few],
    [
      'a record of another name',
      'A',
      answer(record(1, [192, 0, 2, 1], { name: nameOf('www', 'hw', 'test') })),
      few,
    ],
    ['eight aliases', 'A', answer(...aliases(8, [record(1, [192, 0, 2, 1], { name: nameOf('a7') })])), ok],
    [
      'nine aliases',
      'A',
      answer(...aliases(9, [record(1, [192, 0, 2, 1], { name: nameOf('a8') })])),
      malformed('over 8 aliases, one behind the other'),
    ],
    [
      'aliases in a circle',
      'A',
      answer(...aliases(2), record(5, nameOf('a0'), { name: nameOf('a1') })),
      malformed('over 8 aliases, one behind the other'),
    ],
    ['an alias for itself', 'A', answer(record(5, own)), malformed('over 8 aliases, one behind the other')],
    [
      'a datagram of 5000 bytes',
      'A',
      packet({ answers: [record(16, Buffer.alloc(4_990)), a] }),
      malformed('a datagram of 5047 bytes'),
    ],
    ['no authority', 'A', packet({ flags: 0x8000, answers: [a] }), 'fail target.dns.lame'],
    ['truncated, with TCP closed', 'A', packet({ flags: 0x8600 }), 'fail target.connect.refused'],
  ];

  it.each(table)('%s', async (_, type, udp, verdict) => {
    // Only where silence is expected is the deadline waited for.
    const seen = await run(type, udp, verdict === silent ? 150 : 5_000);
    const because = seen.fault?.code === 'malformed' ? ` ${seen.fault.detail?.replace(/^[^ ]+ /, '')}` : '';
    expect(`${verdictOf(seen)}${because}`).toBe(verdict);
  });

  it('a TTL with the highest bit set is 0', async () => {
    const seen = await run('A', answer(record(1, [192, 0, 2, 1], { ttl: 0xffff_ffff })), 5_000);
    expect(seen.facts['ttl']).toBe('0');
  });
});
