/**
 * Ed25519 verification (RFC 8032, without cofactor) for the points on which runtimes disagree.
 * OpenSSL 3.5, in Node 24, refuses every signature in which the key or R is of small order; OpenSSL 3.0, in Node 22,
 * and Go do not. Such a note would be evidence for one reader and not for the next, so that the number would depend
 * on who computes it. Here is one verdict for all: Go's. It is slow, and asked for small-order points alone.
 */
import { type Hash, concat } from './bytes.ts';

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * invert(121666n));
const SQRT_MINUS_1 = power(2n, (P - 1n) / 4n);

/** A point in extended coordinates: x = X/Z, y = Y/Z, T = XY/Z. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const NEUTRAL: Point = { x: 0n, y: 1n, z: 1n, t: 0n };
const BASE = decompress(littleEndian(mod(4n * invert(5n))));

/** The y of the eight points whose order divides 8: of order 1, 2, 4, and of order 8 twice. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  1n,
  P - 1n,
  0n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]);

/** Whether 32 bytes encode a point of small order, in any encoding: the top bit is the sign of x, y is modulo p. */
export function isSmallOrder(encoded: Uint8Array): boolean {
  return SMALL_ORDER_Y.has(yOf(fromLittleEndian(encoded)));
}

/**
 * Whether a signature is good: S below the group's order, and R, byte for byte, what S B - k A gives.
 * `sha512` is handed in. About 5 ms: only for what a fast verifier cannot be trusted with.
 */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  sha512: Hash,
): boolean {
  const a = decompress(publicKey);
  if (!a || !BASE || publicKey.length !== 32 || signature.length !== 64) return false;
  const r = signature.subarray(0, 32);
  const s = fromLittleEndian(signature.subarray(32));
  if (s >= L) return false;
  const k = fromLittleEndian(sha512(concat(r, publicKey, message))) % L;
  const expected = compress(add(times(s, BASE), times(k, { ...a, x: mod(-a.x), t: mod(-a.t) })));
  return expected.every((byte, i) => byte === r[i]);
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base), left = exponent; left > 0n; left >>= 1n, square = mod(square * square)) {
    if (left & 1n) result = mod(result * square);
  }
  return result;
}

function invert(value: bigint): bigint {
  return power(value, P - 2n);
}

function add(a: Point, b: Point): Point {
  const xx = mod(a.x * b.x);
  const yy = mod(a.y * b.y);
  const dtt = mod(D * a.t * b.t);
  const zz = mod(a.z * b.z);
  const e = mod((a.x + a.y) * (b.x + b.y) - xx - yy);
  const [f, g, h] = [zz - dtt, zz + dtt, yy + xx];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function double(point: Point): Point {
  return add(point, point);
}

function times(scalar: bigint, point: Point): Point {
  let result = NEUTRAL;
  for (let step = point, left = scalar; left > 0n; left >>= 1n, step = double(step)) {
    if (left & 1n) result = add(result, step);
  }
  return result;
}

function yOf(whole: bigint): bigint {
  return mod(whole & ((1n << 255n) - 1n));
}

/** Takes y modulo p and either sign of x = 0, as Go does; undefined where no x fits. */
function decompress(encoded: Uint8Array): Point | undefined {
  const whole = fromLittleEndian(encoded);
  const y = yOf(whole);
  const [u, v] = [mod(y * y - 1n), mod(D * y * y + 1n)];
  // RFC 8032 section 5.1.3: the candidate root of u/v without a division of its own.
  let x = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n));
  if (mod(v * x * x) === mod(-u)) x = mod(x * SQRT_MINUS_1);
  if (mod(v * x * x) !== u) return undefined;
  if ((x & 1n) !== whole >> 255n) x = mod(-x);
  return { x, y, z: 1n, t: mod(x * y) };
}

function compress({ x, y, z }: Point): Uint8Array {
  const inverse = invert(z);
  const sign = mod(x * inverse) & 1n;
  return littleEndian(mod(y * inverse) | (sign << 255n));
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
