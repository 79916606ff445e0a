import { describe, expect, it } from 'vitest';
import { factTable, isFact } from '@highwater/config/proof/line.ts';
import { factText } from './fact-text.ts';

describe('a fact as a person reads it', () => {
  const table: readonly (readonly [key: string, value: string, text: string])[] = [
    ['ack', '123', '12.3 ms  (until the subscription was acknowledged)'],
    ['age', '850', '850 ms  (since the last block was pushed)'],
    ['answered', '2', '2  (name servers that answered)'],
    ['asked', '3', '3  (name servers that were asked)'],
    ['bt', '1700000000000', '2023-11-14T22:13:20.000Z block time'],
    ['cc', '1006', '1006  (close code of the long-lived WebSocket)'],
    ['ce', '1700000000000', '2023-11-14T22:13:20.000Z certificate expires'],
    ['cl', '1700000000000', "2023-11-14T22:13:20.000Z the server's own certificate expires"],
    ['cp', '100.0a1b2c3d', '100, id 0a1b2c3d  (an older block, by which forks are seen)'],
    ['cv', '1700000000000', '2023-11-14T22:13:20.000Z the chain to a trusted root expires'],
    ['fh', '98', '98  (finalized height)'],
    ['first', '5', '0.5 ms  (until the first block was pushed)'],
    ['fp', '0a1b2c3d', '0a1b2c3d  (certificate, first 8 digits of its fingerprint)'],
    ['fpb', '0a1b2c3d', '0a1b2c3d  (certificate before, first 8 digits of its fingerprint)'],
    ['g', 'd4e56740', 'd4e56740  (genesis, first 8 digits)'],
    ['gap', '2', '2  (blocks missing among those pushed since the last round)'],
    ['h', '100', '100  (height)'],
    ['id', '0a1b2c3d', '0a1b2c3d  (block id, first 8 digits)'],
    ['lost', '1', '1  (times the long-lived WebSocket was lost since the last round)'],
    ['peers', '25', '25  (peers that the node has)'],
    ['reorg', '1', '1  (blocks pushed since the last round that replaced others)'],
    ['rep', '3', '3  (blocks pushed again since the last round)'],
    ['sc', '200', '200  (HTTP status)'],
    ['serial', '2024010101', '2024010101  (serial number of the zone, the lowest where they differ)'],
    ['ttl', '300', '300  (shortest time to live, s)'],
    ['tv', '1.3', '1.3  (TLS version)'],
    ['v', '-5', '-5  (value)'],
    ['ver', 'Geth/v1.2', 'Geth/v1.2  (version)'],
    ['m.eth_call', '42', '4.2 ms'],
    ['m.eth_call', 'target.rpc.error', 'target.rpc.error'],
    ['e.eth_call', '0a1b2c3d.4e5f6071', 'asked 0a1b2c3d, answered 4e5f6071  (to compare nodes by)'],
  ];

  it.each(table)('%s=%s is %s', (key, value, text) => {
    expect(isFact(key, value)).toBe(true);
    expect(factText(key, value)).toBe(text);
  });

  it('is there for all that a line may carry', () => {
    const listed = new Set(table.map(([key]) => key));
    expect(Object.keys(factTable).filter((key) => !listed.has(key))).toEqual([]);
  });
});
