/** A collector for tests: verifies what a probe signs, keeps it, and can be told to misbehave. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  generateSigningKey,
  openNote,
  parseVerifier,
  type SigningKey,
  sha256,
} from '@highwater/config/keys.ts';
import { bodyHashOf, formatAssignmentText } from '@highwater/config/proof/assignment.ts';
import { type Batch, parseBatchText } from '@highwater/config/proof/batch.ts';
import { type Frame, parseFrameText } from '@highwater/config/proof/frame.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { noteOfAuthorization, parseRequestText } from '@highwater/config/proof/request.ts';
import { type AssignmentBody, operatorKeyHeader } from '@highwater/config/wire.ts';

export interface HeldBatch {
  readonly note: string;
  readonly batch: Batch;
  readonly bodies: Readonly<Record<string, string>> | undefined;
}

export interface TestCollector {
  readonly url: string;
  readonly operator: SigningKey;
  /** Accepted frames by `EPOCH/NUMBER`. */
  readonly frames: Map<string, { readonly note: string; readonly frame: Frame }>;
  readonly batches: Map<string, HeldBatch>;
  /** Everything that came in, in order: `frame EPOCH/N STATUS`. */
  readonly events: string[];
  /** Answers instead of accepting; undefined accepts. */
  answer: (
    kind: 'frame' | 'batch' | 'assignment',
    note: string,
    type: string,
  ) => { status: number; body?: object; headers?: Record<string, string> } | undefined;
  assign(
    body: Omit<AssignmentBody, 'number' | 'config' | 'seed' | 'controls' | 'chains'> &
      Partial<AssignmentBody>,
  ): void;
  /** All lines of accepted frames. */
  lines(): string[];
  /** Resolves when `condition` holds, looking after everything that comes in. */
  until(condition: () => boolean, ms?: number): Promise<void>;
  close(): Promise<void>;
}

export async function testCollector(probeKeys: () => readonly string[]): Promise<TestCollector> {
  const operator = generateSigningKey('status.example.com/log');
  let assignment: { number: number; note: string; body: string } | undefined;
  const waiting = new Set<() => void>();
  const watchers = new Set<() => void>();
  const told = () => {
    for (const each of [...watchers]) each();
  };
  const verifiers = () => probeKeys().map((vkey) => parseVerifier(vkey));

  const server = createServer((request, response) => {
    void handle(request, response).catch((thrown: unknown) => {
      response.writeHead(500).end(String(thrown));
    });
  });

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? '', 'http://x');
    const reply = (status: number, json: object, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(status === 204 ? undefined : JSON.stringify({ at: Date.now(), ...json }));
      told();
    };
    if (url.pathname === '/v1/assignments') {
      const note = noteOfAuthorization(request.headers.authorization ?? '');
      const opened = note === undefined ? undefined : openNote(note, verifiers());
      if (!opened || 'error' in opened) return reply(401, { error: 'unknown key' });
      const said = parseRequestText(opened.text);
      if ('error' in said || said.target !== request.url) return reply(401, { error: 'another request' });
      const odd = collector.answer('assignment', opened.text, '');
      if (odd) return reply(odd.status, odd.body ?? {}, odd.headers);
      const after = Number(url.searchParams.get('after'));
      if (!assignment || assignment.number <= after) {
        await new Promise<void>((resolve) => {
          waiting.add(resolve);
          response.on('close', resolve);
        });
      }
      if (!assignment || assignment.number <= after) return void response.writeHead(204).end();
      response.writeHead(200, { [operatorKeyHeader]: operator.vkey });
      return void response.end(JSON.stringify({ note: assignment.note, body: assignment.body }));
    }
    const json = request.headers['content-type'] === 'application/json';
    const { note, bodies } = (json ? JSON.parse(body) : { note: body }) as {
      note: string;
      bodies?: Record<string, string>;
    };
    const opened = openNote(note, verifiers());
    if ('error' in opened) return reply(401, { error: opened.error });
    const kind = url.pathname === '/v1/frames' ? 'frame' : 'batch';
    const said = kind === 'frame' ? parseFrameText(opened.text) : parseBatchText(opened.text);
    if ('error' in said) return reply(400, { error: said.error });
    const number = 'frame' in said ? said.frame : said.number;
    const name = `${said.epoch}/${number}`;
    const odd = collector.answer(kind, note, request.headers['content-type'] ?? '');
    collector.events.push(`${kind} ${name} ${odd?.status ?? 200}`);
    if (odd) return reply(odd.status, odd.body ?? {}, odd.headers);
    const held = kind === 'frame' ? collector.frames.get(name) : collector.batches.get(name);
    if (held)
      return held.note === note
        ? reply(200, { result: 'held' })
        : reply(409, { error: 'another text is held' });
    if ('frame' in said) collector.frames.set(name, { note, frame: said });
    else collector.batches.set(name, { note, batch: said, bodies });
    reply(200, { result: 'accepted' });
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const collector: TestCollector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    operator,
    frames: new Map(),
    batches: new Map(),
    events: [],
    answer: () => undefined,
    assign(given) {
      const number = given.number ?? (assignment?.number ?? 0) + 1;
      const config = given.config ?? ZERO_HASH;
      const seed = given.seed ?? '00112233445566778899aabbccddeeff';
      const whole: AssignmentBody = { controls: [], chains: [], ...given, number, config, seed };
      const body = JSON.stringify(whole);
      const text = formatAssignmentText({
        origin: operator.name,
        probe: given.probe,
        number,
        config,
        bodyHash: bodyHashOf(body, sha256),
      });
      assignment = { number, note: operator.sign(text), body };
      for (const wake of waiting) wake();
      waiting.clear();
    },
    lines: () => [...collector.frames.values()].flatMap(({ frame }) => frame.lines),
    until(condition, ms = 15_000) {
      return new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(timer);
          clearInterval(poll);
          watchers.delete(look);
        };
        const look = () => {
          if (!condition()) return;
          end();
          resolve();
        };
        const timer = setTimeout(() => {
          end();
          reject(new Error(`waited ${ms} ms in vain; ${collector.events.slice(-20).join(', ')}`));
        }, ms);
        const poll = setInterval(look, 20);
        watchers.add(look);
        look();
      });
    },
    close: () =>
      new Promise((resolve) => {
        for (const wake of waiting) wake();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return collector;
}
