import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bar, waterfall } from './waterfall.ts';

const phases: readonly Bar[] = [
  { name: 'resolve', fromTenths: 0, tenths: 10 },
  { name: 'connect', fromTenths: 10, tenths: 190 },
  { name: 'TLS', fromTenths: 200, tenths: 0 },
  { name: 'first byte', fromTenths: 200, tenths: 200 },
];

describe('a waterfall', () => {
  it('has each bar where its time lies, a thin one for less than a cell, none for nothing', () => {
    expect(
      waterfall(
        [
          { name: 'x', fromTenths: 0, tenths: 1 },
          { name: 'y', fromTenths: 1, tenths: 999 },
        ],
        40,
      )[0],
    ).toBe('x   0.1 ms  ▏');
    expect(waterfall(phases, 43)).toEqual([
      'resolve      1.0 ms  █',
      'connect     19.0 ms  ███████████',
      'TLS          0.0 ms',
      'first byte  20.0 ms             ███████████',
    ]);
  });

  it('has a note in place of the bar', () => {
    const bars = [{ name: 'eth_call', fromTenths: 0, tenths: 12, note: '✗ target.rpc.error' }];
    expect(waterfall(bars, 30)).toEqual(['eth_call  1.2 ms  ✗ target.rpc.error']);
  });

  it('leaves the numbers alone where there is no room, and cuts long names in their middle', () => {
    expect(waterfall(phases, 30)).toEqual([
      'resolve      1.0 ms',
      'connect     19.0 ms',
      'TLS          0.0 ms',
      'first byte  20.0 ms',
    ]);
    const [line] = waterfall([{ name: `GET /${'x'.repeat(80)}/end`, fromTenths: 0, tenths: 1 }], 40);
    expect(line).toMatch(/^GET \/x+…x+\/end {2}0\.1 ms$/);
  });

  it('is never wider than its room, whatever it shows', () => {
    const bar = fc.record({
      name: fc.string({ maxLength: 60 }),
      fromTenths: fc.nat(1_000_000),
      tenths: fc.nat(1_000_000),
    });
    fc.assert(
      fc.property(fc.array(bar, { maxLength: 20 }), fc.integer({ min: 40, max: 240 }), (bars, columns) => {
        for (const line of waterfall(bars, columns)) expect(line.length).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
