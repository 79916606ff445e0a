/**
 * The schema of the config file, one strict object per section. Defaults that depend on nothing else sit beside
 * their key; those that depend on other keys are in build.ts. Every key says what it is for, with an example.
 */
import { z } from 'zod';
import {
  durationBetween,
  flag,
  httpUrl,
  id,
  ipv4,
  ipv6,
  isHeaderName,
  key,
  line,
  percent,
  targetUrl,
  verifierKey,
  wholeBetween,
} from './fields.ts';
import { limits } from './limits.ts';
import { alertsSchema } from './schema-alerts.ts';
import { reportsSchema } from './schema-reports.ts';
import { witnessesSchema } from './schema-witnesses.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './time.ts';

export const siteSchema = z.strictObject({
  name: key(line(100), 'The name on the page and in messages.', 'My Nodes'),
  url: key(
    httpUrl,
    'Where people reach the page; links in messages and the log origin are made from it.',
    'https://status.example.com',
  ),
});

const originMessage =
  'not a log origin, write a host and path without scheme, such as status.example.com/log';
export const logSchema = z.strictObject({
  origin: key(
    z
      .string()
      .max(200, originMessage)
      .regex(/^[a-z0-9][a-z0-9.:-]*(\/[A-Za-z0-9._~-]+)*$/, originMessage)
      .optional(),
    'The name of the evidence log: a host and path without scheme and year. From site.url when left out; fixed at first start.',
    'status.example.com/log',
  ),
});

export const regionSchema = z.strictObject({
  id: key(id, 'The region, as checks and probes refer to it.', 'eu'),
  name: key(line(100).optional(), 'The name on the page; the id when left out.', 'Frankfurt'),
});

export const probeSchema = z.strictObject({
  id: key(id, 'The name given at `highwater probe keygen --id ID`.', 'eu-1'),
  region: key(id, 'The region that it looks from.', 'eu'),
  key: key(
    verifierKey,
    'Its verifier key: the last line that keygen printed. `highwater probe enroll` prints the whole entry.',
    'eu-1+1234abcd+AX…',
  ),
  operator: key(
    line(100).optional(),
    'Who runs it; the top-level operator when left out.',
    'A community member',
  ),
});

const referenceSchema = z.strictObject({
  url: key(targetUrl, 'A trusted endpoint of the same chain.', 'https://rpc.elsewhere.example'),
  operator: key(line(100).optional(), 'Who runs it; its host when left out.', 'Elsewhere'),
  allowPrivate: key(flag.default(false), 'Whether it may have a private address.', false),
});

const chainIdMessage = 'not a chain id, write a whole number (EVM) or a name such as cosmoshub-4';
const genesisMessage = "not an identity, write the family's own in quotes, such as 0x and 64 hex digits";
export const chainSchema = z.strictObject({
  family: key(
    line(40).optional(),
    'The protocol its nodes speak. Needed unless the chain is built in.',
    'evm',
  ),
  chainId: key(
    z
      .union(
        [wholeBetween(1, Number.MAX_SAFE_INTEGER), z.string().regex(/^(?=.*[A-Za-z])[A-Za-z0-9._-]{1,64}$/)],
        {
          error: (issue) => (issue.input === undefined ? undefined : chainIdMessage),
        },
      )
      .optional(),
    "EVM: the number that eth_chainId must give. Cosmos: the network's name. Not compared when left out.",
    31337,
  ),
  genesis: key(
    z
      .string({ error: (issue) => (issue.input === undefined ? undefined : genesisMessage) })
      .regex(/^[A-Za-z0-9+/=]{1,100}$/, genesisMessage)
      .optional(),
    "What tells the chain from all others: the hash of block 0, Graphene's chain id, Algorand's genesis hash. Not compared when left out.",
    '"0xd4e5…"',
  ),
  blockTime: key(
    durationBetween(1, DAY_MS).optional(),
    'The usual time between two blocks. Needed unless the chain is built in.',
    '1s',
  ),
  maxLag: key(
    wholeBetween(1, 1_000_000).optional(),
    'How many blocks a node may be behind the agreed head; a minute of blocks or half of maxAge, whichever is less, at least 3, when left out.',
    5,
  ),
  maxAge: key(
    durationBetween(1_000, DAY_MS).optional(),
    'How old the newest block may be before the head counts as standing still; 20 block times, at least 1m, when left out.',
    '10s',
  ),
  maxFinalityLag: key(
    wholeBetween(1, 1_000_000).optional(),
    'How many blocks the finalized one may be behind the newest for eight minutes; not judged when left out, unless the chain is built in.',
    10,
  ),
  forkDepth: key(
    wholeBetween(0, 1_000_000).optional(),
    'From how many blocks below the newest all nodes must have the same ones; not compared when left out, unless the chain is built in.',
    6,
  ),
  references: key(
    z.array(referenceSchema).max(limits.references).default([]),
    'Trusted heads elsewhere: asked like nodes, shown nowhere, they make the agreed head more than your own word.',
  ),
});

const familyMessage = 'not an address family, write 4 or 6 without quotes, apart, or any';
/** Settings that every check has, whatever its kind. The kind's own stand beside them in the same entry. */
export const checkSchema = z.strictObject({
  kind: key(line(40), 'The kind of question.', 'head'),
  id: key(
    id.optional(),
    'The last part of its monitor id `service/node/check`; the kind when left out.',
    'calls',
  ),
  every: key(
    durationBetween(1_000, 30 * DAY_MS),
    'The time between two checks, from 1s; at most 1d for checks that count.',
    '30s',
  ),
  timeout: key(
    durationBetween(10, 5 * MINUTE_MS).optional(),
    'The deadline for the whole check, below `every`; min(10s, half of `every`) when left out.',
    '10s',
  ),
  confirm: key(
    z
      .strictObject({
        fall: key(wholeBetween(1, 10).default(2), 'Failing answers in a row before a region turns fail.', 2),
        rise: key(wholeBetween(1, 10).default(2), 'Good answers in a row before it turns ok again.', 2),
        recheckAfter: key(
          durationBetween(100, 5 * MINUTE_MS).default(1_000),
          'How soon a first failure is checked again; rechecks count for the live verdict alone.',
          '1s',
        ),
      })
      .prefault({}),
    'When a changed answer is believed.',
  ),
  quorum: key(
    wholeBetween(1, limits.regions).optional(),
    'How many regions must agree: more than half of those that have a probe; floor(n / 2) + 1 when left out.',
    2,
  ),
  regions: key(
    z.array(id).min(1, 'an empty list, name a region or leave the key out').max(limits.regions).optional(),
    'The regions that ask; all when left out.',
    ['eu', 'us'],
  ),
  family: key(
    z
      .literal(['any', 4, 6, 'apart'], {
        error: (issue) => (issue.input === undefined ? undefined : familyMessage),
      })
      .default('any'),
    'The address family it is asked over: `any` tries IPv4 first; `apart` makes two monitors of it, `CHECK.v4` and `CHECK.v6`, and both count as it does.',
    'apart',
  ),
  refusals: key(
    z
      .enum(['fail', 'skip'], {
        error: (issue) =>
          issue.input === undefined ? undefined : 'neither fail nor skip, write one of them',
      })
      .default('fail'),
    'What a refusal by a rate limit or a ban is (HTTP 429 and 403, a JSON-RPC limit, WebSocket close 1008): a failing answer, or with `skip` none, so that minutes without others are unknown. For servers of others, which may refuse a probe while they serve their users.',
    'skip',
  ),
  counts: key(
    flag.optional(),
    "Whether it makes up its node's uptime; the kind decides when left out.",
    true,
  ),
});

const headers = z
  .record(
    z.string().refine(isHeaderName, 'not a header name, write one such as X-Token'),
    z
      .string()
      .max(4_000, 'too long, write at most 4000 characters')
      .regex(/^[\x20-\x7e]*$/, 'has a character that a header may not carry, write plain ASCII'),
  )
  .refine(
    (map) => Object.keys(map).length <= limits.headers,
    `too many headers, write at most ${limits.headers}`,
  )
  .default({});

const targetKeys = {
  url: key(targetUrl, 'Where checks ask; their paths are relative to it.', 'https://rpc.example.com'),
  headers: key(
    headers,
    'Headers of each request. A secret is written as env:HIGHWATER_SECRET_NAME; the probe has it, and sends it only to the host in HIGHWATER_SECRET_NAME_HOST.',
    { 'X-Token': 'env:HIGHWATER_SECRET_US' },
  ),
  allowPrivate: key(
    flag.default(false),
    'Lets probes that consent reach private and loopback addresses.',
    true,
  ),
};

const countsNone = key(
  z.literal('none', { error: 'neither left out nor none, write counts: none or leave it out' }).optional(),
  'Written as `none`: no uptime is counted, though no check counts.',
  'none',
);

export const nodeSchema = z.strictObject({
  id: key(id, 'The middle part of its monitor ids; `public` is reserved.', 'main'),
  zone: key(id, 'Where it stands: nodes of one zone that fail together make one incident.', 'home'),
  ...targetKeys,
  address: key(ipv4.optional(), 'Its IPv4 address, asked instead of what DNS says.', '192.0.2.10'),
  address6: key(
    ipv6.optional(),
    'Its IPv6 address, asked instead of what DNS says; with both, the IPv4 one first.',
    '"2001:db8::10"',
  ),
  operator: key(line(100).optional(), 'Who runs it; the top-level operator when left out.', 'Example Ltd'),
  counts: countsNone,
});

export const publicSchema = z.strictObject({
  ...targetKeys,
  checks: key(
    z.array(z.unknown()).optional(),
    'Its checks; a head check when left out and the service has a chain.',
  ),
});

export const serviceSchema = z.strictObject({
  id: key(id, 'The first part of its monitor ids and its place on the page, `/services/ID`.', 'rpc'),
  name: key(line(100), 'The name on the page and in messages.', 'My RPC'),
  description: key(line(500).optional(), 'A sentence for visitors.', 'JSON-RPC for wallets and explorers.'),
  group: key(line(100).optional(), 'Services of one group stand together on the page.', 'Mainnet'),
  chain: key(id.optional(), 'The chain its nodes serve: a built-in one or one under `chains`.', 'ethereum'),
  visibility: key(
    z
      .enum(['public', 'private'], { error: 'neither public nor private, write one of them' })
      .default('public'),
    '`private`: judged and alerted, but not shown on the page, and its evidence is not served. The log has its id and those of its nodes and checks, when batches had lines of it, how many and how long, and hashes that only who has the salt can try.',
    'public',
  ),
  objective: key(
    percent.optional(),
    'The uptime that you promise; shown beside the figure, with the error budget that it leaves.',
    '99.9%',
  ),
  minUp: key(
    wholeBetween(1, limits.nodes).default(1),
    'How many nodes must be up for the service to be up.',
    1,
  ),
  nodes: key(z.array(z.unknown()).min(1, 'an empty list, write at least one node'), 'The servers behind it.'),
  checks: key(
    z.array(z.unknown()).optional(),
    "Each node gets each; the chain family's usual ones when left out.",
  ),
  public: key(z.unknown().optional(), 'What users see, through DNS: checked under the node id `public`.'),
  counts: countsNone,
});

export const retentionSchema = z.strictObject({
  hot: key(
    durationBetween(HOUR_MS, 30 * DAY_MS).default(2 * DAY_MS),
    'Lines as they came with the details of faults, for `why` (older lines are in the bodies): deleted when older and in a batch, without one after twice as long.',
    '48h',
  ),
  bodies: key(
    durationBetween(31 * DAY_MS, 3_650 * DAY_MS).default(390 * DAY_MS),
    'Bodies, the evidence. Packed by service and day; a day that is older is deleted, and then nobody can count it again.',
    '13mo',
  ),
  slots: key(
    durationBetween(90 * DAY_MS, 7_300 * DAY_MS).default(1_825 * DAY_MS),
    'Slots and totals: what is older is deleted. Latency and heads by hour stay for 90 days of it, latency by day for 400.',
    '5y',
  ),
  reports: key(
    z
      .union([z.literal('forever'), durationBetween(366 * DAY_MS, 36_500 * DAY_MS)], {
        error: (issue) =>
          issue.input === undefined
            ? undefined
            : 'neither forever nor a duration from 366d to 36500d, write forever, or one such as 10y',
      })
      .default('forever'),
    'Monthly reports with their bundles, by the end of the month. A bundle holds the bodies, so it can be checked when those are gone.',
    'forever',
  ),
});

export const spoolSchema = z.strictObject({
  maxBytes: key(
    wholeBetween(8_388_608, 1_099_511_627_776).default(268_435_456),
    'Bytes on the disk of a probe, from 8 MiB. When it is full the oldest goes, and the numbers of its batches are recorded as a gap.',
    268_435_456,
  ),
  maxAge: key(
    durationBetween(DAY_MS, 3_650 * DAY_MS).optional(),
    'A batch that the log has not proven goes so long after its last minute, as a recorded gap too; never when left out.',
    '90d',
  ),
});

/** The top level. Lists hold `unknown` here: load.ts decodes each entry apart, so that all errors come at once. */
export const topSchema = z.strictObject({
  site: key(siteSchema, 'The page.', '{ name: My Nodes, url: http://localhost:3000 }'),
  log: key(logSchema.optional(), 'The evidence log.'),
  witnesses: key(
    witnessesSchema.optional(),
    'Who else vouches that the log only grows and is the same for everybody (docs/witnesses.md). Without it you alone do.',
  ),
  operator: key(line(100).optional(), 'Who runs this; site.name when left out.', 'Example Ltd'),
  regions: key(z.array(z.unknown()).optional(), 'Where probes look from; one region `here` when left out.'),
  probes: key(
    z.array(z.unknown()).default([]),
    'The enrolled probes: a region counts once it has one. When empty, `up` runs one in the one region.',
  ),
  chains: key(
    z.record(z.string(), z.unknown()).default({}),
    'Chains of your own, or other limits for built-in ones.',
  ),
  controls: key(
    z.array(z.unknown()).default([]),
    "What a probe asks to know that it is itself well: https, http or tcp, of operators apart. While all of them fail over an address family, the network faults of checks over that family are the probe's own and count for nothing; IPv4 and IPv6 apart, and a target on loopback needs none. `doctor` compares the clock with the first of them over HTTP. Published in the log as written, also its path and query.",
    ['https://www.example.org', 'tcp://192.0.2.53:53'],
  ),
  services: key(z.array(z.unknown()), 'What is watched.', '- { id: rpc, … }'),
  alerts: key(alertsSchema.prefault({}), 'Who is told.'),
  reports: key(reportsSchema.prefault({}), 'The monthly report (docs/reports.md).'),
  retention: key(retentionSchema.prefault({}), 'How long what is kept.'),
  spool: key(spoolSchema.optional(), 'What a probe keeps until the log has proven that it holds it.'),
});
