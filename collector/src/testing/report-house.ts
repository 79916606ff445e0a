/** A collector whose months pass in a moment: probes that speak in some minutes of them, and what comes of it. */
import { join } from 'node:path';
import { type Checked, checkBundle } from '@highwater/config/bundle/check-bundle.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { nodeChecker } from '@highwater/config/node-checker.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import type { Report } from '@highwater/config/report/report.ts';
import { type Clock, MINUTE_MS } from '@highwater/config/time.ts';
import {
  accepted,
  assignment,
  assignmentBody,
  type AssignmentBody,
  reportList,
  type ReportList,
} from '@highwater/config/wire.ts';
import type { Config } from '@highwater/config/model.ts';
import { pino } from 'pino';
import { openPacking } from '../packing/packing.ts';
import { reportJobs } from '../reports/job.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { regions, testHouse, type Region } from './config.ts';
import { dropDataDir, eventually, newDataDir, openHouse, type House } from './house.ts';
import { player, type Player } from './player.ts';

const INTERVAL_MS = 20_000;

export class ReportHouse {
  now: number;
  config: Config;
  house: House | undefined;
  readonly dataDir = newDataDir();
  readonly #players: Record<Region, Player>;
  readonly clock: Clock = { now: () => this.now, monotonic: () => performance.now() };

  constructor(at: number) {
    this.now = at;
    const { config, keys } = testHouse(INTERVAL_MS);
    // All minutes of a month are judged: one node of each service is enough, and heads for a chain.
    const few = new Set(['rpc/a/head', 'rpc/a/jsonrpc', 'web/main/http']);
    this.config = {
      ...config,
      services: config.services
        .filter(({ id }) => id !== 'hidden')
        .map((service) => ({ ...service, nodes: service.nodes.slice(0, 1) })),
      monitors: config.monitors.filter(({ id }) => few.has(id)),
    };
    this.#players = Object.fromEntries(
      regions.map((region) => [region, player(config.origin, keys[region])]),
    ) as Record<Region, Player>;
  }

  get open(): House {
    if (this.house === undefined) throw new Error('it is not started');
    return this.house;
  }

  async start(): Promise<void> {
    this.house = await openHouse(this.config, this.dataDir, this.clock, undefined, { reportJobs });
  }

  async stop(): Promise<void> {
    await this.house?.stop();
    this.house = undefined;
  }

  /** Starts it again at this time, under the configuration that is set by then. */
  async restartAt(at: number): Promise<void> {
    await this.stop();
    this.now = at;
    await this.start();
  }

  async drop(): Promise<void> {
    await this.stop();
    dropDataDir(this.dataDir);
  }

  /** What is done to the store while nobody else has it. */
  async inStore<T>(work: (store: Store, folder: string) => Promise<T>): Promise<T> {
    const folder = join(this.dataDir, 'collector');
    const store = openSqliteStore(folder);
    try {
      return await work(store, folder);
    } finally {
      await store[Symbol.asyncDispose]();
    }
  }

  /** Packs what is to be packed by now; the collector is stopped. */
  pack(): Promise<boolean> {
    const figures = {
      objects: 0,
      lines: 0,
      bytes: 0,
      bodyBytes: 0,
      failed: 0,
      droppedPacks: 0,
      droppedBlocks: 0,
    };
    return this.inStore((store, folder) =>
      openPacking(
        folder,
        store,
        folderBlobs(join(folder, 'blobs')),
        this.clock,
        pino({ level: 'silent' }),
        figures,
      ).turn(),
    );
  }

  async #tasks(probe: Player): Promise<AssignmentBody> {
    const target = '/v1/assignments?after=0';
    const { origin } = this.config;
    const text = formatRequestText({ origin, probe: probe.id, method: 'GET', target, at: this.now });
    const response = await this.open.get(target, { authorization: authorizationOf(probe.sign(text)) });
    return assignmentBody.parse(JSON.parse(assignment.parse(await response.json()).body));
  }

  /** What some probes see in a minute; it is sent now. */
  async send(minute: number, isDown = false, of: readonly Region[] = regions): Promise<void> {
    for (const region of of) {
      const probe = this.#players[region];
      const { seed, monitors, config, salts } = await this.#tasks(probe);
      const lines = monitors.flatMap(({ id, intervalMs, kind }) => {
        const phase = phaseMs(seed, id, probe.id, intervalMs, sha256);
        const begin = minute * MINUTE_MS;
        const first = begin + ((phase - (begin % intervalMs) + intervalMs) % intervalMs);
        return Array.from({ length: MINUTE_MS / intervalMs }, (_, i) => {
          const due = first + i * intervalMs;
          if (isDown && id.startsWith('web/')) return `${id} ${due} fail 3 target.connect.refused`;
          return `${id} ${due} ok 120 -${kind === 'head' ? ` g=aaaaaaaa h=${Math.floor(due / 1_000)}` : ''}`;
        });
      });
      const keys = new Map(Object.entries(salts ?? {}).map(([id, hex]) => [id, Buffer.from(hex, 'hex')]));
      for (const path of ['/v1/frames', '/v1/batches'] as const) {
        const note =
          path === '/v1/frames' ? probe.frame(lines) : probe.batch({ config, minute, salts: keys }).note;
        const answer = accepted.parse(await (await this.open.post(path, note)).json());
        if (answer.result !== 'accepted') throw new Error(`${path}: ${JSON.stringify(answer)}`);
      }
    }
  }

  /** Minutes one after the other from this one on, each told of ten seconds after its end; `down` of them by place. */
  async pass(first: number, count: number, down: readonly number[] = []): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      this.now = (first + i + 1) * MINUTE_MS + 10_000;
      await this.send(first + i, down.includes(i));
    }
    await this.logged();
  }

  /** A probe goes on into the month that begins with this minute: the log shows that the one before is over. */
  async passOn(minute: number): Promise<void> {
    this.now = (minute + 1) * MINUTE_MS + 10_000;
    await this.send(minute, false, ['eu']);
    await this.logged();
  }

  /** Resolves when the log covers all that was sent. */
  async logged(): Promise<void> {
    await eventually(
      async () => (await this.open.json<{ log: { pending: number } }>('/v1/status')).log.pending === 0,
      60_000,
    );
  }

  async list(): Promise<ReportList> {
    return reportList.parse(await this.open.json('/v1/reports'));
  }

  ask(month: string, body = ''): Promise<Response> {
    return this.open.post(`/v1/reports/${month}`, body, 'application/json', {
      authorization: `Bearer ${this.open.token}`,
    });
  }

  published(month: string, revision = 1): Promise<ReportList['reports'][number]> {
    return eventually(async () => {
      const { reports } = await this.list();
      return reports.find((each) => each.month === month && each.revision === revision);
    }, 60_000);
  }

  /** What a verifier finds that has single files from the collector. */
  check(month: string): Promise<Checked> {
    const files = {
      read: async (name: string): Promise<Uint8Array | undefined> => {
        const response = await this.open.get(`/v1/reports/${month}/bundle/${name}`);
        return response.status === 404 ? undefined : new Uint8Array(await response.arrayBuffer());
      },
    };
    return checkBundle(files, nodeChecker(), {});
  }

  /** Of a report that has no problems. Rejects with them. */
  async sound(month: string): Promise<Report> {
    const { problems, report } = await this.check(month);
    if (problems.length > 0 || report === undefined) throw new Error(JSON.stringify(problems));
    return report;
  }
}
