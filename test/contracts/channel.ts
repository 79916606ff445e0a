/** What every channel must do, as one suite. A far side says how it is made to fail and what arrived. */
import { describe, expect, it } from 'vitest';
import type { AnyChannelKind, ChannelContext, Delivery, Message } from '@highwater/config/kinds.ts';

/** One thing that a person would see. */
export interface Shown {
  /** Everything shown, as the far side decodes it. */
  readonly text: string;
  /** Whether it belongs to the thread of the one before. */
  readonly threaded: boolean;
}

/** The far side of one channel: a server on loopback that can be told to fail. */
export interface FarSide extends AsyncDisposable {
  readonly settings: unknown;
  readonly env: Readonly<Record<string, string>>;
  /** Each must be found in no reason, whatever goes wrong. */
  readonly canaries: readonly string[];
  /** New messages, oldest first; edits are none. */
  shown(): readonly Shown[];
  /** Attempts that reached it. */
  attempts(): number;
  /** The next attempt: come again later. `afterMs` where the far side says how long. */
  busy(): { readonly afterMs?: number };
  /** The next attempt: an error of its own. */
  broken(): void;
  /** The next attempt: accepted connection, no answer. */
  hanging(): void;
  /** Every attempt from now on: access is refused for good. */
  revoked(): void;
}

export interface ChannelUnderTest {
  readonly kind: AnyChannelKind;
  farSide(): Promise<FarSide>;
}

export const hostile =
  '@everyone <@&1> <script>alert(1)</script> [x](https://evil.example) **b** \r\nBcc: evil@example.com\r\n\u202Egnp.exe\u0007\u0000 & "q" \u{1F4A5}';

export function message(over: Partial<Message> = {}): Message {
  return {
    thread: 'inc-1',
    key: 'inc-1/1/x',
    reason: 'first',
    impact: 'major',
    title: 'Dev RPC is down',
    lines: ['Service: Dev RPC', 'Since: 2026-11-21 10:05:03 UTC (for 8 s)', 'Impact: major'],
    url: 'https://status.example.com/incidents/inc-1',
    at: Date.UTC(2026, 10, 21, 10, 5, 11),
    ...over,
  };
}

/** Runs the suite against one implementation. */
export function channelContract(name: string, under: ChannelUnderTest): void {
  describe(`channel ${name}`, () => {
    const sender = (far: FarSide) => {
      const send = under.kind.prepare(far.settings);
      return (given: Message, first?: string, signal = AbortSignal.timeout(20_000)): Promise<Delivery> => {
        const ctx: ChannelContext = {
          signal,
          host: 'status.example.com',
          site: 'Example Nodes',
          secret: (ref) => far.env[ref.slice('env:'.length)] ?? '',
          ...(first === undefined ? {} : { first }),
        };
        return send(given, ctx);
      };
    };
    const receiptOf = (delivery: Delivery): string => {
      if (delivery.result !== 'delivered') throw new Error(JSON.stringify(delivery));
      return delivery.receipt ?? '';
    };

    it('refuses settings it does not know, and secrets that are written out', () => {
      expect(() => under.kind.prepare({ surprise: 1 })).toThrow();
    });

    it('shows title, lines and link of the first message, and gives a receipt', async () => {
      await using far = await under.farSide();
      const receipt = receiptOf(await sender(far)(message()));
      expect(receipt).not.toBe('');
      expect(far.shown()).toHaveLength(1);
      const text = far.shown()[0]?.text ?? '';
      expect(text).toContain('Dev RPC is down');
      expect(text).toContain('2026-11-21 10:05:03 UTC');
      expect(text).toContain('https://status.example.com/incidents/inc-1');
    });

    it('adds no message for a changed state, and one in the same thread for recovery', async () => {
      await using far = await under.farSide();
      const send = sender(far);
      const first = receiptOf(await send(message()));
      receiptOf(await send(message({ key: 'inc-1/2/x', reason: 'changed', impact: 'critical' }), first));
      expect(far.shown()).toHaveLength(1);
      const resolved = { key: 'inc-1/3/x', reason: 'resolved' as const, title: 'Resolved: Dev RPC is down' };
      receiptOf(await send(message(resolved), first));
      expect(far.shown()).toHaveLength(2);
      expect(far.shown()[1]?.text).toContain('Resolved');
      expect(far.shown()[1]?.threaded).toBe(true);
    });

    it.each(['escalated', 'repeat'] as const)(
      'shows a message of its own in the thread: %s',
      async (reason) => {
        await using far = await under.farSide();
        const send = sender(far);
        const first = receiptOf(await send(message()));
        receiptOf(await send(message({ key: 'inc-1/2/x', reason, title: 'Still open: Dev RPC' }), first));
        expect(far.shown()).toHaveLength(2);
        expect(far.shown()[1]?.threaded).toBe(true);
      },
    );

    it('shows hostile text as text, of any length', async () => {
      await using far = await under.farSide();
      const lines = [
        hostile,
        `Because: ${hostile}`,
        `Long: ${'漢@*'.repeat(5_000)}`,
        ...Array.from({ length: 50 }, () => 'x: y'),
      ];
      const delivery = await sender(far)(message({ title: hostile.repeat(50), lines }));
      expect(delivery).toMatchObject({ result: 'delivered' });
      const text = far.shown()[0]?.text ?? '';
      for (const bad of ['@everyone', '\u0000', '\u0007', '\u202E']) expect(text).not.toContain(bad);
    });

    it('asks for another attempt when the far side is busy, and says when it was told', async () => {
      await using far = await under.farSide();
      const { afterMs } = far.busy();
      const delivery = await sender(far)(message());
      expect(delivery.result).toBe('retry');
      if (afterMs !== undefined) expect(delivery).toMatchObject({ afterMs });
      expect(far.shown()).toEqual([]);
      expect(await sender(far)(message())).toMatchObject({ result: 'delivered' });
    });

    it('makes one attempt a call, and asks for another when the far side is broken', async () => {
      await using far = await under.farSide();
      far.broken();
      expect(await sender(far)(message())).toMatchObject({ result: 'retry' });
      expect(far.attempts()).toBe(1);
    });

    it('ends at the signal when the far side hangs', async () => {
      await using far = await under.farSide();
      far.hanging();
      const began = performance.now();
      expect(await sender(far)(message(), undefined, AbortSignal.timeout(300))).toMatchObject({
        result: 'retry',
      });
      expect(performance.now() - began).toBeLessThan(8_000);
    });

    it('says for good when access is revoked, that it is the channel, and not what the secret is', async () => {
      await using far = await under.farSide();
      far.revoked();
      const delivery = await sender(far)(message());
      expect(delivery).toMatchObject({ result: 'permanent', scope: 'channel' });
      for (const canary of far.canaries) expect(JSON.stringify(delivery)).not.toContain(canary);
    });

    it('says for good when the secret is not of its form, without showing it', async () => {
      await using far = await under.farSide();
      const [name = ''] = Object.keys(far.env);
      const wrong: FarSide = { ...far, env: { [name]: 'canary-not-a-url' } };
      const delivery = await sender(wrong)(message());
      expect(delivery).toMatchObject({ result: 'permanent', scope: 'channel' });
      expect(JSON.stringify(delivery)).not.toContain('canary-not-a-url');
    });

    it('asks for another attempt when nothing listens', async () => {
      const far = await under.farSide();
      await far[Symbol.asyncDispose]();
      const delivery = await sender(far)(message());
      expect(delivery.result).toBe('retry');
      for (const canary of far.canaries) expect(JSON.stringify(delivery)).not.toContain(canary);
    });
  });
}
