/**
 * One way out of each room: what is called, and with which rules (deadline, caps, addresses), is decided in one place.
 * The rules know calls by what they come from, however that is imported; the exceptions are listed here, each with its
 * reason and no more than it needs. test/ways-out.test.ts plants each kind of call.
 */
import type { Linter } from 'eslint';
import ts from 'typescript-eslint';

/** What talks to others, and the names in it that do not. */
const modules: Readonly<Record<string, readonly string[]>> = {
  'node:net': ['isIP', 'isIPv4', 'isIPv6', 'BlockList', 'SocketAddress'],
  'node:tls': ['rootCertificates', 'getCACertificates'],
  'node:http': ['STATUS_CODES'],
  'node:https': [],
  'node:http2': [],
  'node:dgram': [],
  'node:dns': [],
  'node:dns/promises': [],
  'node:inspector': [],
  // Another program calls out by no rule, and whoever can require can have all of the above.
  'node:child_process': [],
  'node:worker_threads': [],
  'node:module': [],
  undici: [],
  ws: [],
  nodemailer: [],
  'discord.js': [],
  '@opentelemetry/sdk-node': [],
  // Metrics are asked for; its Pushgateway sends them.
  'prom-client': ['Counter', 'Gauge', 'Registry'],
};
const globals: readonly string[] = ['fetch', 'WebSocket', 'EventSource'];

interface Leave {
  readonly reason: string;
  /** By module the names that it may import, `import()` for the whole when it is needed; globals by their name. */
  readonly uses: Uses;
}
type Uses = Readonly<Record<string, readonly string[]>>;

interface Room {
  readonly files: readonly string[];
  readonly components?: readonly string[];
  /** Where the one way out is, for people. */
  readonly way: string;
  /** Files of the room itself that may be imported as types alone, as a regular expression. */
  readonly closed?: string;
  readonly exceptions: Readonly<Record<string, Leave>>;
}

const checksWay = 'Checks go out by probe/src/io alone (CheckContext).';

const rooms: readonly Room[] = [
  {
    files: ['probe/**/*.ts'],
    way: checksWay,
    exceptions: {
      'probe/src/collector-link.ts': {
        reason: 'to the collector, which is no target',
        uses: { undici: ['Agent', 'request'] },
      },
      'probe/src/listener.ts': { reason: 'listens', uses: { 'node:http': ['createServer'] } },
      'probe/src/lock.ts': {
        reason: 'a lock of the kernel, no network',
        uses: { 'node:net': ['createServer'] },
      },
      'probe/src/io/connect.ts': {
        reason: 'the way out: TCP and TLS',
        uses: {
          'node:net': ['connect'],
          'node:tls': ['checkServerIdentity', 'connect', 'createSecureContext'],
        },
      },
      'probe/src/io/dns-ask.ts': { reason: 'the way out: UDP', uses: { 'node:dgram': ['createSocket'] } },
      'probe/src/io/dns-zone.ts': {
        reason: 'the way out: which resolvers the system has',
        uses: { 'node:dns': ['Resolver'] },
      },
      'probe/src/io/resolve.ts': {
        reason: 'the way out: names',
        uses: { 'node:dns/promises': ['lookup', 'Resolver'] },
      },
      'probe/src/io/exchange.ts': {
        reason: 'the way out: HTTP',
        uses: { undici: ['Client'], 'node:tls': ['TLSSocket'] },
      },
      'probe/src/io/socket.ts': {
        reason: 'the way out: WebSocket',
        uses: { ws: ['WebSocket'], 'node:tls': ['TLSSocket'] },
      },
      'probe/src/io/link.ts': { reason: 'the way out: bytes', uses: { 'node:tls': ['TLSSocket'] } },
    },
  },
  {
    // What opens is given to a check, with the rules around it: by itself it asks nobody whether an address is good.
    files: ['probe/src/checks/**/*.ts'],
    way: checksWay,
    closed:
      '^(\\.\\./)+(io/(?!(url|stopwatch|dns-value)\\.ts$)|(collector-link|lasting|listener|main|observe|once)\\.ts$)',
    exceptions: {},
  },
  {
    files: ['collector/**/*.ts'],
    way: 'The collector calls nobody but the witnesses of its log and its own page: probes, alerts and the page call it.',
    exceptions: {
      'collector/src/log/witness-ask.ts': {
        reason: 'to a witness that the config names',
        uses: { globals: ['fetch'] },
      },
      'collector/src/log/page.ts': {
        reason: 'to its own page: which checkpoint do readers see',
        uses: { globals: ['fetch'] },
      },
      'collector/src/http/server.ts': { reason: 'listens', uses: { 'node:http': ['createServer'] } },
      'collector/src/bodies/reading-thread.ts': {
        reason: 'a thread of this program, which calls nobody',
        uses: { 'node:worker_threads': ['Worker'] },
      },
      'collector/src/bodies/reading-worker.ts': {
        reason: 'is that thread',
        uses: { 'node:worker_threads': ['parentPort', 'workerData'] },
      },
      'collector/src/packing/packing.ts': {
        reason: 'a thread of this program, which calls nobody',
        uses: { 'node:worker_threads': ['Worker'] },
      },
      'collector/src/packing/worker.ts': {
        reason: 'is that thread',
        uses: { 'node:worker_threads': ['parentPort', 'workerData'] },
      },
      'collector/src/reports/thread.ts': {
        reason: 'a thread of this program, which calls nobody',
        uses: { 'node:worker_threads': ['Worker'] },
      },
      'collector/src/reports/worker.ts': {
        reason: 'is that thread',
        uses: { 'node:worker_threads': ['parentPort', 'workerData'] },
      },
    },
  },
  {
    files: ['alerts/**/*.ts'],
    way: 'Messages go out by alerts/src/channels alone, one file a kind.',
    exceptions: {
      'alerts/src/http.ts': { reason: 'listens', uses: { 'node:http': ['createServer'] } },
      'alerts/src/collector.ts': { reason: 'to the collector: the feed', uses: { globals: ['fetch'] } },
      'alerts/src/channels/discord-request.ts': { reason: 'the channel', uses: { globals: ['fetch'] } },
      'alerts/src/channels/discord.ts': { reason: 'the channel', uses: { 'discord.js': ['import()'] } },
      'alerts/src/channels/email.ts': { reason: 'the channel', uses: { nodemailer: ['import()'] } },
    },
  },
  {
    files: ['status-site/{src,server}/**/*.ts'],
    components: ['status-site/src/**/*.svelte'],
    way: 'The page reaches the collector by status-site/src/lib/server/{ask,mirror-source,report-source}.ts alone, and nobody else.',
    exceptions: {
      'status-site/src/lib/server/ask.ts': { reason: 'to the collector', uses: { globals: ['fetch'] } },
      'status-site/src/lib/server/mirror-source.ts': {
        reason: 'to the collector: the log',
        uses: { globals: ['fetch'] },
      },
      'status-site/src/lib/server/report-source.ts': {
        reason: 'to the collector, for files of reports that are passed on as they are encoded',
        uses: { 'node:http': ['request'], 'node:https': ['request'] },
      },
      'status-site/src/lib/verify/reports.ts': {
        reason: "in a reader's browser, to this site: which reports there are",
        uses: { globals: ['fetch'] },
      },
      'status-site/src/lib/verify/served-files.ts': {
        reason: "in a reader's browser, to this site: files of a bundle",
        uses: { globals: ['fetch'] },
      },
      'status-site/server/serve.ts': { reason: 'listens', uses: { 'node:http': ['createServer'] } },
      'status-site/server/build.ts': {
        reason: 'builds the page with vite',
        uses: { 'node:child_process': ['spawn'], 'node:module': ['createRequire'] },
      },
      'status-site/server/built.ts': { reason: 'loads what was built', uses: { 'any file': ['import()'] } },
    },
  },
  {
    files: ['bin/**/*.ts'],
    way: 'Commands ask the collector by bin/collector-client.ts, and targets by the probe (probe/src/once.ts).',
    exceptions: {
      'bin/collector-client.ts': { reason: 'to the collector', uses: { globals: ['fetch'] } },
      'bin/published.ts': {
        reason: 'to where a log is published, for a restore',
        uses: { globals: ['fetch'] },
      },
      'bin/http-files.ts': {
        reason: "to the page whose report is verified, for a bundle's files",
        uses: { globals: ['fetch'] },
      },
      'bin/http-archive.ts': {
        reason: 'to the page whose report is verified, for the whole bundle and for which is the newest',
        uses: { globals: ['fetch'] },
      },
      'bin/doctor-checks.ts': {
        reason: 'looks at ports and at the clock of a control',
        uses: { 'node:net': ['createServer'], globals: ['fetch'] },
      },
      'bin/supervisor.ts': {
        reason: 'starts the roles and asks them whether they live',
        uses: { 'node:child_process': ['fork'], 'node:http': ['get'] },
      },
      'bin/telemetry.ts': {
        reason: 'to the receiver that the environment names',
        uses: { '@opentelemetry/sdk-node': ['import()'] },
      },
    },
  },
  {
    files: ['config/**/*.ts'],
    way: 'The words of the house call nobody.',
    exceptions: {},
  },
];

/** Tests and what they are made of play both sides. */
const tests = ['**/*.test.ts', '**/testing.ts', '**/testing/**'];

/** The exceptions, for the test: each file is there and needs what it is given. */
export const exceptions = rooms.flatMap((room) =>
  Object.entries(room.exceptions).map(([file, { uses }]) => ({ file, uses })),
);

interface Selector {
  readonly selector: string;
  readonly message: string;
}

interface Kept {
  readonly ts: readonly Selector[];
  readonly svelte: readonly Selector[];
}

/** Config blocks; `kept` are selectors that `no-restricted-syntax` has already, in TypeScript and in components. */
export function waysOut(kept: Kept = { ts: [], svelte: [] }): Linter.Config[] {
  const plugins = { '@typescript-eslint': ts.plugin } as unknown as NonNullable<Linter.Config['plugins']>;
  return rooms.flatMap(({ files, components = [], way, closed, exceptions }) => [
    {
      files: [...files],
      ignores: [...tests, ...Object.keys(exceptions)],
      plugins,
      rules: rulesOf(way, {}, kept.ts, closed),
    },
    ...components.map((each) => ({ files: [each], plugins, rules: rulesOf(way, {}, kept.svelte) })),
    ...Object.entries(exceptions).map(([file, { reason, uses }]) => ({
      files: [file],
      plugins,
      rules: rulesOf(`${way} This file has other leave: ${reason}.`, uses, kept.ts),
    })),
  ]);
}

function rulesOf(way: string, uses: Uses, kept: readonly Selector[], own?: string): Linter.RulesRecord {
  const message = `${way} Exceptions: eslint.ways-out.ts.`;
  const whole = (name: string) => uses[name]?.includes('import()') ?? false;
  const closed = Object.keys(modules).filter((name) => !whole(name));
  const pattern = closed
    .map((name) => name.replace('node:', '(node:)?').replaceAll('.', '\\.').replaceAll('/', '\\u002F'))
    .join('|');
  const open = uses['globals'] ?? [];
  const barred = globals.filter((name) => !open.includes(name));
  const names = `/^(${barred.join('|') || '-'})$/`;
  const host = '/^(globalThis|global|window|self)$/';
  const selectors = [
    `ImportExpression[source.value=/^(${pattern})(\\u002F|$)/]`,
    ...(whole('any file') ? [] : ['ImportExpression:not([source.type="Literal"])']),
    'CallExpression[callee.name="require"]',
    'TSExternalModuleReference',
    // execve becomes another program.
    'Identifier[name=/^(getBuiltinModule|execve)$/]',
    'Literal[value=/^(getBuiltinModule|execve)$/]',
    'MemberExpression[object.name="process"][property.name="binding"]',
    `MemberExpression[object.name=${host}][property.name=${names}]`,
    `MemberExpression[object.name=${host}][property.value=${names}]`,
    `CallExpression[callee.object.name="Reflect"][arguments.0.name=${host}]`,
    // Taken out of whatever it is: of globalThis, or of the event that a page's load is given.
    `ObjectPattern > Property[key.name=${names}]`,
    `ObjectPattern > Property[key.value=${names}]`,
    `MemberExpression[object.name="event"][property.name=${names}]`,
    ...(own === undefined ? [] : [`ImportExpression[source.value=/${own.replaceAll('/', '\\u002F')}/]`]),
  ].map((selector) => ({ selector, message }));
  return {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        paths: closed.flatMap((name) =>
          [name, ...(name.startsWith('node:') ? [name.slice('node:'.length)] : [])].map((each) => ({
            name: each,
            message,
            allowTypeImports: true,
            ...namesOf([...(modules[name] ?? []), ...(uses[name] ?? [])]),
          })),
        ),
        patterns: [
          { regex: '^(undici|ws|nodemailer|discord\\.js|prom-client)/', message },
          ...(own === undefined ? [] : [{ regex: own, message, allowTypeImports: true }]),
        ],
      },
    ],
    'no-restricted-globals': ['error', ...barred.map((name) => ({ name, message }))],
    'no-restricted-syntax': ['error', ...kept, ...selectors],
  };
}

function namesOf(allowed: readonly string[]): { allowImportNames?: readonly string[] } {
  return allowed.length === 0 ? {} : { allowImportNames: allowed };
}
