/** What a dns check asks of each name server, in sentences, for a person. Pure. */
import { faultId } from '@highwater/config/faults.ts';
import type { Assertion, DnsAnswer } from '@highwater/config/kinds.ts';
import { formatDuration } from '@highwater/config/time.ts';
import type { Settings } from './dns-settings.ts';
import { type Heard, recordsOf, type Wanted } from './dns-verdict.ts';

export function assertionsOf(wanted: Wanted, name: string, heard: readonly Heard[]): Assertion[] {
  const serials = heard.flatMap(({ server, serial }) =>
    typeof serial === 'number' ? [{ server, serial }] : [],
  );
  const same: Assertion = {
    what: 'all have the same version of the zone',
    held: new Set(serials.map(({ serial }) => serial)).size === 1 && serials.length === heard.length,
    found:
      serials.length === 0
        ? 'no server told one'
        : serials.map(({ server, serial }) => `${server}: ${serial}`).join('; '),
  };
  return [
    ...heard.flatMap(({ server, said }) =>
      (said instanceof Error
        ? [
            {
              what: 'it answers',
              held: false,
              found: `no answer: ${said.fault.detail ?? faultId(said.fault)}`,
            },
          ]
        : ofServer(wanted, name, said)
      ).map((each) => ({ ...each, what: `${server}: ${each.what}` })),
    ),
    ...(wanted.soaEqual ? [same] : []),
  ];
}

function ofServer(wanted: Wanted, name: string, said: DnsAnswer): Assertion[] {
  const { rcode, aa, slow } = wanted;
  return [
    {
      what: `it answers ${rcode}`,
      held: said.rcode === rcode,
      ...(said.rcode === rcode ? {} : { found: said.rcode }),
    },
    ...(aa ? [{ what: 'it answers with authority', held: said.authoritative }] : []),
    ...(rcode === 'NOERROR' && said.rcode === rcode ? ofRecords(wanted, name, said) : []),
    ...(slow === undefined
      ? []
      : [
          {
            what: `it answers within ${formatDuration(slow)}`,
            held: said.latencyTenths <= slow * 10,
            found: `${said.latencyTenths / 10} ms`,
          },
        ]),
  ];
}

function ofRecords(wanted: Wanted, name: string, said: DnsAnswer): Assertion[] {
  const { type, exact, contains, ttl, dnssec } = wanted;
  const found = recordsOf(said, name, type);
  if ('because' in found) return [{ what: `it has ${type} records`, held: false, found: found.because }];
  const { records, aliases } = found;
  const values = [...new Set(records.map(({ value }) => value))];
  const has = (value: string): boolean => values.includes(value);
  const came = values.length === 0 ? 'none' : shortened(values);
  const least = wanted.count ?? ((exact ?? contains) ? 0 : 1);
  const ttls = [...aliases, ...records].map(({ ttlSeconds }) => ttlSeconds);
  return [
    ...(exact
      ? [
          {
            what: `its ${type} records are exactly ${shortened(exact)}`,
            held: exact.every(has) && values.length === exact.length,
            found: came,
          },
        ]
      : []),
    ...(contains
      ? [
          {
            what: `its ${type} records have ${shortened(contains)} among them`,
            held: contains.every(has),
            found: came,
          },
        ]
      : []),
    ...(least > 0
      ? [{ what: `it has at least ${least} of type ${type}`, held: values.length >= least, found: came }]
      : []),
    ...(ttl
      ? [
          {
            what: `answers may be kept ${limitsText(ttl)}`,
            held: ttls.every(
              (each) => each * 1_000 >= (ttl.min ?? 0) && each * 1_000 <= (ttl.max ?? Infinity),
            ),
            found: [...new Set(ttls)].map((each) => `${each} s`).join(', ') || 'none',
          },
        ]
      : []),
    ...(dnssec === undefined ? [] : [{ what: 'it says that DNSSEC holds', held: said.authenticated }]),
  ];
}

function limitsText({ min, max }: NonNullable<Settings['ttl']>): string {
  return [
    min === undefined ? [] : [`at least ${min / 1_000} s`],
    max === undefined ? [] : [`at most ${max / 1_000} s`],
  ]
    .flat()
    .join(' and ');
}

/** Of many values the first. */
function shortened(values: readonly string[]): string {
  const more = values.length > 4 ? ` and ${values.length - 4} more` : '';
  const shown = values.slice(0, 4).map((value) => (value.length > 60 ? `${value.slice(0, 59)}…` : value));
  return `${shown.join(' ')}${more}`;
}
