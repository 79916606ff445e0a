/**
 * What a kind of check and a kind of channel are. A kind is one file: its name, its settings' schema,
 * its function. `define…` closes over the settings' type, so that tables need no cast and no union grows.
 */
import type { z } from 'zod';
import type { Impact, Outcome, Phases } from './domain.ts';
import type { Fault } from './faults.ts';
import type { Chain, Target } from './model.ts';
import type { Instant } from './time.ts';

// ---------------------------------------------------------------- checks

/** Of one answer or message, where a check says nothing else. */
export const defaultMaxBytes = 1_048_576;

/** One HTTP exchange asked of the one way out. Paths are joined to the target's URL. */
export interface ExchangeRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** Appended to the target's URL path; default none. */
  readonly path?: string;
  /** Of the same host; the URL's own by default. */
  readonly port?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default 1 MiB. */
  readonly maxBytes?: number;
  /** Default 0. */
  readonly maxRedirects?: number;
  /** A redirect that is not followed is the answer, not a fault: for checks that expect one. */
  readonly redirectIsAnswer?: boolean;
}

export interface ExchangeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly bytes: number;
  readonly phases: Phases;
  /** Tenths of a millisecond, all phases. */
  readonly latencyTenths: number;
  /** The address connected to. */
  readonly address: string;
  /** Unix ms of the earliest expiry in the chain, when TLS was spoken. */
  readonly certExpiresAt?: Instant;
}

/** What ends something, as far as those who wait look at it: an AbortSignal is one, a deadline of the probe a cheaper one. */
export interface Ending {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** One WebSocket asked of the one way out. A target's http URL is asked as ws, https as wss, and the other way round. */
export interface SocketRequest {
  readonly path?: string;
  readonly port?: number;
  /** Subprotocols offered; the server must pick one of them. */
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Of one message; default 1 MiB. */
  readonly maxBytes?: number;
}

/** Why a WebSocket ended. 1006: without a close frame (RFC 6455 section 7.1.5). */
export interface SocketClose {
  readonly code: number;
  /** From outside. */
  readonly reason: string;
}

/** An open WebSocket. What arrives is hostile. Disposing it destroys the connection. */
export interface SocketLink extends Disposable {
  /** Of making it: `firstByte` is the upgrade. */
  readonly phases: Phases;
  /** The subprotocol that the server picked; empty for none. */
  readonly protocol: string;
  readonly address: string;
  readonly certExpiresAt?: Instant;
  /** Set once it has ended. */
  readonly closed: SocketClose | undefined;
  /** Throws FaultError when it has ended. */
  send(text: string): void;
  /** The next text message, in order. Rejects with FaultError `target.ws.*` when there will be none, and when `signal` ends. */
  next(signal: Ending): Promise<string>;
}

/** A TCP connection asked of the one way out. The URL's scheme only says which port is meant when none is named. */
export interface LinkRequest {
  /** Of the same host; the URL's own by default. */
  readonly port?: number;
  /** Speaks TLS first, with a certificate that must be good. */
  readonly tls?: boolean;
}

/** An open TCP connection. What arrives is hostile. Disposing it destroys the connection. */
export interface ByteLink extends Disposable {
  /** Until it was made, or until the newest bytes came: `firstByte` is the wait for the first of them. */
  readonly phases: Phases;
  readonly address: string;
  readonly certExpiresAt?: Instant;
  /** A failure is told by `next`. */
  send(text: string): void;
  /**
   * What has come since, at least a byte; undefined once the far side has said all. Rejects with FaultError:
   * `target.tcp.closed` when it is cut off, `target.tcp.timeout` at the deadline.
   */
  next(): Promise<Uint8Array | undefined>;
}

/** A certificate as far as checks look at it. */
export interface Certificate {
  /** SHA-256 of the whole, 64 hex digits. */
  readonly fingerprint: string;
  readonly validFrom: Instant;
  readonly validTo: Instant;
}

/** What a TLS handshake tells, whether or not the certificate is good. */
export interface Handshake {
  readonly phases: Phases;
  readonly address: string;
  /** `1.2`, `1.3`. */
  readonly version: string;
  /** Why the certificate is not good for the name asked for; absent when it is. */
  readonly distrust?: Fault;
  /** As the server sent them, its own first; at least one, at most ten are told. */
  readonly presented: readonly [Certificate, ...Certificate[]];
  /** Of the chains from the server's own to a trusted root, the one that lasts longest, root included. */
  readonly chain?: readonly Certificate[];
}

/** The way out for what outlives a round: each call brings its own deadline. */
export interface LastingWay {
  /** Aborts when the monitor is no longer assigned or the probe ends. */
  readonly signal: AbortSignal;
  now(): Instant;
  /** Milliseconds that never step. */
  monotonic(): number;
  /** `signal` is the deadline of making it; afterwards it lives until it is disposed. */
  socket(request: SocketRequest, signal: Ending): Promise<SocketLink>;
  /** On a connection of its own. */
  exchange(request: ExchangeRequest, signal: Ending): Promise<ExchangeAnswer>;
}

/** Thrown by the one way out and by checks; the driver turns it into an Observation. */
export class FaultError extends Error {
  override name = 'FaultError';
  readonly fault: Fault;
  readonly phases: Phases | undefined;
  constructor(fault: Fault, phases?: Phases) {
    super(`${fault.source}.${fault.operation}.${fault.code}${fault.detail ? `: ${fault.detail}` : ''}`);
    this.fault = fault;
    this.phases = phases;
  }
}

/** Types of records whose data a check can read. */
export const dnsTypes = ['A', 'AAAA', 'CNAME', 'NS', 'TXT', 'MX', 'SRV', 'CAA', 'SOA'] as const;
export type DnsType = (typeof dnsTypes)[number];

/** One question to one name server. */
export interface DnsQuestion {
  /** An IP address; a private one needs consent. */
  readonly address: string;
  readonly port: number;
  /** Without the dot at its end. */
  readonly name: string;
  readonly type: DnsType;
  /** To look further, and to say whether DNSSEC holds (RD and AD): for resolvers. */
  readonly recurse: boolean;
}

/** From outside. Names in it are lower-case, without the dot at their end, printable ASCII. */
export interface DnsRecord {
  readonly name: string;
  readonly type: DnsType;
  readonly ttlSeconds: number;
  /** Its data as zone files have it, but names without the last dot and the strings of a TXT as one. */
  readonly value: string;
}

/** Asked over UDP, and over TCP when the answer was truncated; records of other types are left out. */
export interface DnsAnswer {
  /** `NOERROR`, `NXDOMAIN`, … */
  readonly rcode: string;
  /** AA: it answers for its own zone. */
  readonly authoritative: boolean;
  /** AD: it says that DNSSEC holds. */
  readonly authenticated: boolean;
  readonly transport: 'udp' | 'tcp';
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly phases: Phases;
  /** Tenths of a millisecond, all phases. */
  readonly latencyTenths: number;
}

/** Name servers asked by the one way out. */
export interface DnsWay {
  /** Rejects with FaultError: `target.dns.timeout`, `target.dns.malformed`, `target.connect.*`. */
  ask(question: DnsQuestion): Promise<DnsAnswer>;
  /** Addresses of a host by the probe's resolver, IPv4 first; rejects with FaultError `resolver.*`. */
  addresses(host: string): Promise<readonly string[]>;
  /** The zone that a name is in and the names of its name servers, by the probe's resolver; rejects with FaultError `resolver.*`. */
  zoneOf(name: string): Promise<{ readonly zone: string; readonly servers: readonly string[] }>;
}

/** One thing that a check asks of an answer, for people: told in `highwater check`, never stored. */
export interface Assertion {
  /** What is asked: `status is 200-299`. Holds nothing from outside. */
  readonly what: string;
  readonly held: boolean;
  /** What was found instead, or how much. From outside: cleaned where it is shown. */
  readonly found?: string;
}

/** The few capabilities a check may touch. */
export interface CheckContext {
  /** Aborts at the deadline of the whole check. */
  readonly signal: Ending;
  readonly target: Target;
  readonly chain?: Chain;
  /** Wall clock, Unix ms. */
  now(): Instant;
  /** The greatest clock error the probe now knows of, ms; 0 when it was never compared. */
  readonly clockBoundMs: number;
  exchange(request: ExchangeRequest): Promise<ExchangeAnswer>;
  /** A WebSocket of this round: destroyed at its end. */
  socket(request: SocketRequest): Promise<SocketLink>;
  /** A TCP connection of this round: destroyed at its end. */
  connect(request: LinkRequest): Promise<ByteLink>;
  /** A TLS handshake on a connection of its own, which is closed at once. */
  handshake(request: Pick<LinkRequest, 'port'>): Promise<Handshake>;
  readonly dns: DnsWay;
  /**
   * What lives on between rounds (a subscription): made by the first call with this name, given back by later ones,
   * disposed when the monitor is no longer assigned or the probe ends.
   */
  lasting<T extends Disposable>(name: string, open: (way: LastingWay) => T): T;
  /** Intervals since 1970 at the due time: one number for all nodes and probes of a check in about the same time. */
  readonly round: number;
  /** Kept between rounds of one monitor (an identity that was checked, the last height); lost at restart. */
  readonly memory: Map<string, unknown>;
  /** Told of each assertion as it is judged; absent where nobody reads them, so that they cost nothing in a probe. */
  readonly asserted?: (assertion: Assertion) => void;
}

/** What a check says. Throwing a FaultError is a reading with outcome `fail`. */
export interface Reading {
  readonly outcome: Outcome;
  readonly fault?: Fault;
  readonly latencyTenths: number;
  readonly phases?: Phases;
  readonly facts?: Readonly<Record<string, string>>;
}

export interface CheckKind<S = unknown> {
  readonly kind: string;
  /** One sentence for --help and the docs. */
  readonly summary: string;
  readonly settings: z.ZodType<S>;
  /** Whether it makes up its node's slots unless `counts` says otherwise. */
  readonly counts: boolean;
  /** Needs a chain on its service. */
  readonly needsChain: boolean;
  /** Whether these settings, as written and perhaps wrong, need one although the kind does not. */
  readonly needsChainFor?: (written: unknown) => boolean;
  /** False: it asks others about the target, so that the target's own address does not matter. */
  readonly asksTarget?: boolean;
  /**
   * Why these settings, as written and perhaps wrong, make no sense for such a target or family, by the key that is at
   * fault or missing; undefined when they do. Pure.
   */
  readonly troubleWith?: (written: unknown, place: Place) => Trouble | undefined;
  readonly run: (settings: S, ctx: CheckContext) => Promise<Reading>;
  /** One shell line (curl, wscat, dig, openssl) by which a person repeats what is asked; secrets as `$VARIABLE`. Pure. */
  readonly repeat?: (settings: S, asked: Asked) => string;
}

/** What decides on whether settings make sense there. */
export interface Place {
  readonly url: string;
  /** Of the one that the check is written for; `apart` is told as each. */
  readonly family: 4 | 6 | undefined;
}

export interface Trouble {
  readonly key: string;
  readonly message: string;
}

/** What `repeat` is about. */
export interface Asked {
  readonly target: Target;
  readonly chain?: Chain;
  readonly timeoutMs: number;
}

/** A kind whose settings' type is closed over: what tables hold. */
export type AnyCheckKind = Omit<CheckKind, 'run' | 'settings' | 'repeat'> & {
  readonly settings: z.ZodType;
  /** Decodes settings as the operator wrote them, once, and gives the check to run each round. Throws ZodError. */
  prepare(written: unknown): (ctx: CheckContext) => Promise<Reading>;
  /** Undefined where a kind has no such line. Throws ZodError. */
  repeat(written: unknown, asked: Asked): string | undefined;
};

export function defineCheck<S>({ run, repeat, ...kind }: CheckKind<S>): AnyCheckKind {
  return {
    ...kind,
    repeat: (written, asked) => repeat?.(kind.settings.parse(written), asked),
    prepare(written) {
      const settings = kind.settings.parse(written);
      return (ctx) => run(settings, ctx);
    },
  };
}

// -------------------------------------------------------------- channels

/** What a channel shows: plain text from render.ts. Every string in it is hostile until the channel escapes it. */
export interface Message {
  /** Stable per incident, or revision of a report: threads and edits hang on it. */
  readonly thread: string;
  /** Stable per delivery: the idempotency key. */
  readonly key: string;
  readonly reason: 'first' | 'escalated' | 'repeat' | 'changed' | 'resolved' | 'test' | 'report';
  readonly impact: Impact;
  readonly title: string;
  readonly lines: readonly string[];
  readonly url?: string;
  readonly at: Instant;
}

/** What happened to one delivery. `receipt` is kept and handed back for later messages of the thread. */
export type Delivery =
  /** `note`: delivered, but something about it must be put right (one recipient of several refused). */
  | { readonly result: 'delivered'; readonly receipt?: string; readonly note?: string }
  | { readonly result: 'retry'; readonly reason: string; readonly afterMs?: number }
  /** `scope: 'channel'`: nothing can get through here until somebody repairs it (webhook deleted, login refused). */
  | { readonly result: 'permanent'; readonly reason: string; readonly scope?: 'channel' };

export interface ChannelContext {
  readonly signal: AbortSignal;
  /** Fetches a secret by its reference at the moment of use. */
  secret(ref: string): string;
  /** The receipt of the thread's first message on this channel, when there is one. */
  readonly first?: string;
  /** The thread's place on the site, for Message-ID: the site's host. */
  readonly host: string;
  /** The site's name, for people. */
  readonly site: string;
}

export interface ChannelKind<S = unknown> {
  readonly kind: string;
  readonly summary: string;
  readonly settings: z.ZodType<S>;
  /** Sends one message; repeating it with the same key must do no harm. Never throws for the far side's faults. */
  readonly send: (settings: S, message: Message, ctx: ChannelContext) => Promise<Delivery>;
}

export type AnyChannelKind = Omit<ChannelKind, 'send' | 'settings'> & {
  readonly settings: z.ZodType;
  /** Decodes settings as written, once, and gives the sender. Throws ZodError. */
  prepare(written: unknown): (message: Message, ctx: ChannelContext) => Promise<Delivery>;
};

export function defineChannel<S>({ send, ...kind }: ChannelKind<S>): AnyChannelKind {
  return {
    ...kind,
    prepare(written) {
      const settings = kind.settings.parse(written);
      return (message, ctx) => send(settings, message, ctx);
    },
  };
}

/** The tables that the composition root hands to load.ts. */
export interface Tables {
  readonly checks: Readonly<Record<string, AnyCheckKind>>;
  readonly channels: Readonly<Record<string, AnyChannelKind>>;
}
