/** The browser's checker over Node's WebCrypto; verify-browser.test.ts asks a real browser the same. */
import { existsSync, readFileSync } from 'node:fs';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '@highwater/config/proof/note.ts';
import { decodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { generateSigningKey, parseVerifier, sha256 } from '@highwater/config/keys.ts';
import { describe, expect, test } from 'vitest';
import { browserChecker, TooManySignatures, type BrowserChecker } from './checker.ts';

const file = new URL('../../../../../shared/vectors/ed25519/ed25519vectors.json', import.meta.url);
const missing = !existsSync(file);
type Row = { key: string; sig: string; msg: string };
const bytesOf = (hex: string): Uint8Array => decodeHex(hex) ?? new Uint8Array();
const rows = missing ? [] : (JSON.parse(readFileSync(file, 'utf8')) as Row[]);

function keyOf(raw: Uint8Array): VerifierKey {
  const key = parseVerifierKey(formatVerifierKey('cctv', raw, sha256), sha256);
  if ('error' in key) throw new Error(key.error);
  return key;
}

function verdicts(checker: BrowserChecker): Promise<boolean[]> {
  return Promise.all(
    rows.map(({ key, sig, msg }) => checker.verify(keyOf(bytesOf(key)), utf8(msg), bytesOf(sig))),
  );
}

const withKey = (): { key: VerifierKey; message: Uint8Array; signature: Uint8Array } => {
  const signing = generateSigningKey('eu-1');
  const note = signing.sign('text\n');
  const key = parseVerifierKey(signing.vkey, sha256);
  if ('error' in key) throw new Error(key.error);
  const signature = Buffer.from(note.trimEnd().split(' ').at(-1) ?? '', 'base64').subarray(4);
  return { key, message: utf8('text\n'), signature };
};

describe('signatures', () => {
  if (missing && process.env['CI'] === 'true')
    test('the published vectors are missing: ../shared/vectors/ed25519/ed25519vectors.json', () => {
      expect.fail('put the CCTV ed25519 vectors there');
    });

  test.skipIf(missing)(
    'the verdict on each vector is that of the terminal (skipped without them)',
    async () => {
      const checker = await browserChecker({ subtle: crypto.subtle });
      expect(checker.lends).toEqual({ ed25519: true, sha256: true });
      const wanted = rows.map(({ key, sig, msg }) =>
        parseVerifier(formatVerifierKey('cctv', bytesOf(key), sha256)).verify(msg, bytesOf(sig)),
      );
      expect(wanted.filter(Boolean).length).toBe(208);
      expect(await verdicts(checker)).toEqual(wanted);
    },
  );

  test.each([
    ['without WebCrypto', undefined],
    [
      'without Ed25519',
      {
        importKey: () => Promise.reject(new DOMException('no', 'NotSupportedError')),
      } as unknown as SubtleCrypto,
    ],
    [
      'whose verifier takes what others refuse',
      {
        importKey: crypto.subtle.importKey.bind(crypto.subtle),
        verify: () => Promise.resolve(true),
      } as unknown as SubtleCrypto,
    ],
  ])('a browser %s is not asked, and a few signatures are verified all the same', async (_, subtle) => {
    const checker = await browserChecker({ subtle, maxSlow: 2 });
    expect(checker.lends.ed25519).toBe(false);
    const { key, message, signature } = withKey();
    expect(await checker.verify(key, message, signature)).toBe(true);
    expect(await checker.verify(key, utf8('other\n'), signature)).toBe(false);
    await expect(checker.verify(key, message, signature)).rejects.toThrow(TooManySignatures);
  });

  test('a signature of another length is none', async () => {
    const checker = await browserChecker({ subtle: crypto.subtle });
    const { key, message, signature } = withKey();
    expect(await checker.verify(key, message, signature)).toBe(true);
    for (const length of [0, 63])
      expect(await checker.verify(key, message, signature.subarray(0, length))).toBe(false);
  });
});

test.each([['with', crypto.subtle] as const, ['without', undefined] as const])(
  'hashes of many, %s WebCrypto, are those of Node, in order',
  async (_, subtle) => {
    const checker = await browserChecker({ subtle });
    const whole = new Uint8Array(4_096).map((_, i) => (i * 31) & 0xff);
    // Parts of one buffer, as the engine gives them; more than are handed over at once.
    const messages = Array.from({ length: 700 }, (_, i) => whole.subarray(i, i + ((i * 7) % 2_000)));
    const hashes = await checker.hashAll(messages);
    expect(hashes.map((one) => Buffer.from(one).toString('hex'))).toEqual(
      messages.map((one) => Buffer.from(sha256(one)).toString('hex')),
    );
    expect(await checker.hashAll([])).toEqual([]);
  },
);
