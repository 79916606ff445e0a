/** A log of two years, written with the project's own code into memory and served as a collector serves it. */
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type SigningKey, sha256, signingKeyFromSeed, witnessSigningKey } from '@highwater/config/keys.ts';
import { formatActionLeaf } from '@highwater/config/proof/action-leaf.ts';
import { formatAnnotationLeaf } from '@highwater/config/proof/annotation-leaf.ts';
import { type Batch, bodiesOf, bodyRefs, formatBatchText } from '@highwater/config/proof/batch.ts';
import { encodeBase64, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { formatCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { ZERO_HASH, emptyRoot, leafHash, leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import { formatConfigLeaf, formatMaintLeaf, formatProbeLeaf } from '@highwater/config/proof/leaves.ts';
import { formatNote, parseNote } from '@highwater/config/proof/note.ts';
import { formatPolicy } from '@highwater/config/proof/policy.ts';
import { growFiles } from '@highwater/config/proof/testing/tree.ts';
import { bundlePath, bundlesBetween, encodeBundle } from '@highwater/config/proof/tiles.ts';
import { rootOfLeaves } from '@highwater/config/proof/tree.ts';

export const origin = 'status.example.com/log';
const keyNamed = (name: string): SigningKey => signingKeyFromSeed(name, sha256(utf8(`walk ${name}`)));
export const operator = keyNamed(origin);
export const probe = keyNamed('eu-1');
export const stranger = keyNamed('stranger');
export const logKey = (year: number): SigningKey => keyNamed(`${origin}/${year}`);
const witness = witnessSigningKey('witness.example.com/w1', sha256(utf8('walk witness')));

export type Files = Map<string, Uint8Array>;

/** Entries of two years in the making; a test may put in what it likes. */
export class Writing {
  readonly entries = new Map<number, string[]>();
  readonly bodies = new Map<string, Uint8Array>();
  #number = 0;
  #prev = ZERO_HASH;
  #config = ZERO_HASH;

  add(year: number, note: string): string {
    const entries = this.entries.get(year) ?? [];
    this.entries.set(year, [...entries, note]);
    return leafHashOfNote(note, sha256);
  }

  /** The probe's enrolment and a configuration, whose projection is published. */
  begin(year: number): void {
    const enrolment = { act: 'enrol', origin, from: 0, probe: 'eu-1', region: 'eu' } as const;
    this.add(
      year,
      operator.sign(formatProbeLeaf({ ...enrolment, key: probe.vkey, operator: 'Example Ltd' })),
    );
    const projection = utf8('highwater/projection/v1\nseed 00\n');
    const hash = sha256(projection);
    const leaf = { origin, from: 0, bytes: projection.length, hash: encodeBase64(hash) };
    this.bodies.set(`${year}/body/${encodeHex(hash)}`, projection);
    this.#config = this.add(year, operator.sign(formatConfigLeaf(leaf)));
  }

  /** The next batch, with a body that is published unless `change` has its own; what a test changes is changed before it is signed. */
  batch(year: number, change: Partial<Batch> = {}, key = probe): string {
    const minute = 29_000_000 + this.#number;
    const lines = [`rpc/eu/head ${minute * 60_000} ok 1 -`, `rpc/us/head ${minute * 60_000 + 1} ok 2 -`];
    const bodies = bodiesOf(change.bodies === undefined ? lines : []);
    for (const body of bodies.values())
      this.bodies.set(`${year}/body/${encodeHex(sha256(utf8(body)))}`, utf8(body));
    const batch: Batch = {
      origin,
      probe: 'eu-1',
      epoch: 1,
      number: this.#number,
      prev: this.#prev,
      minutes: { first: minute, last: minute },
      config: this.#config,
      clock: { boundMs: 1, ageS: 1 },
      tip: { size: 0, root: encodeBase64(emptyRoot(sha256)) },
      gaps: [],
      bodies: bodyRefs(bodies, sha256),
      ...change,
    };
    const leaf = this.add(year, key.sign(formatBatchText(batch)));
    this.#number = batch.number + 1;
    this.#prev = leaf;
    return leaf;
  }

  /** Size and root of the tree of a year as far as it is written. */
  tip(year: number): Batch['tip'] {
    const leaves = (this.entries.get(year) ?? []).map((entry) => leafHash(utf8(entry), sha256));
    return { size: leaves.length, root: encodeBase64(rootOfLeaves(leaves, sha256)) };
  }

  /** A checkpoint by the log's key alone. */
  checkpoint(year: number, key = logKey(year)): string {
    return key.sign(formatCheckpointText({ origin: `${origin}/${year}`, ...this.tip(year) }));
  }

  /** All that is served under /log. */
  files(): Files {
    const files: Files = new Map(this.bodies);
    const years = [...this.entries.keys()].sort();
    for (const year of years) {
      const entries = (this.entries.get(year) ?? []).map(utf8);
      const leaves = entries.map((entry) => leafHash(entry, sha256));
      const grown = growFiles(leaves, [Math.ceil(leaves.length / 3), leaves.length]);
      for (const [path, bytes] of grown) files.set(`${year}/${path}`, bytes);
      for (const { index, width } of bundlesBetween(0, entries.length)) {
        const bytes = encodeBundle(entries.slice(index * 256, index * 256 + width));
        files.set(`${year}/${bundlePath(index, width)}`, bytes);
      }
      const note = parseNote(this.checkpoint(year));
      if ('error' in note) throw new Error(note.error);
      const signatures = [...note.signatures, witness.cosign(note.text, 1_795_219_380)];
      files.set(`${year}/checkpoint`, utf8(formatNote({ ...note, signatures })));
    }
    const logs = years.map((year) => ({ vkey: logKey(year).vkey }));
    const witnesses = [{ name: 'w1', vkey: witness.vkey }];
    files.set('policy', utf8(formatPolicy({ logs, witnesses, groups: [], quorum: 'w1' })));
    files.set(
      'keys',
      utf8([`operator ${operator.vkey}`, ...logs.map(({ vkey }) => `log ${vkey}`), ''].join('\n')),
    );
    return files;
  }
}

/** A log of 2026 with 600 entries of all kinds, and one of 2027 that goes on from it. */
export function twoYears(): Writing {
  const writing = new Writing();
  writing.begin(2026);
  const first = writing.batch(2026);
  const declared = { act: 'declare', origin, from: 1, last: 2, subjects: ['rpc'] } as const;
  const leaf = writing.add(2026, operator.sign(formatMaintLeaf(declared)));
  writing.add(2026, operator.sign(formatMaintLeaf({ act: 'cancel', origin, from: 2, leaf })));
  const action = { origin, by: 'operator', what: 'acknowledge', subject: 'rpc/eu', at: 1 } as const;
  writing.add(2026, operator.sign(formatActionLeaf({ ...action, evidence: [first] })));
  writing.add(2026, operator.sign(formatAnnotationLeaf({ origin, of: first, at: 1, text: 'a remark' })));
  writing.batch(2026, { tip: writing.tip(2026) });
  // Two batches were dropped; the one after them says so.
  writing.batch(2026, { number: 4, gaps: [{ first: 2, last: 3 }] });
  for (let i = 0; i < 30; i += 1) writing.batch(2026);
  // Each body costs who walks it a request; the rest are minutes in which nothing was seen.
  while (writing.tip(2026).size < 300) for (let i = 0; i < 50; i += 1) writing.batch(2026, { bodies: [] });
  writing.add(2027, writing.checkpoint(2026));
  writing.batch(2027, { tip: writing.tip(2026) });
  return writing;
}

export interface Served {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Serves files under /log on a free port. */
export async function serve(files: Files): Promise<Served> {
  const server: Server = createServer((request, reply) => {
    const bytes = files.get((request.url ?? '').replace(/^\/log\//, ''));
    reply.writeHead(bytes ? 200 : 404).end(bytes ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/log`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
