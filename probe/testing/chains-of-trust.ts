/**
 * Certificates for tests, made by openssl: a root, an intermediate, and server certificates with one thing wrong each.
 * All are for `localhost` and 127.0.0.1, apart from the one for another name.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificates.ts';

const day = 86_400_000;

export interface Defects {
  /** What is trusted. */
  readonly root: string;
  /** What was trusted before, and has signed the root. */
  readonly old: string;
  readonly good: Certificate;
  readonly expired: Certificate;
  readonly future: Certificate;
  readonly wrongHost: Certificate;
  readonly selfSigned: Certificate;
  /** The server forgot the intermediate. */
  readonly incomplete: Certificate;
  /** By a root that nobody trusts, which is presented too. */
  readonly foreign: Certificate;
  /** Of 90 days. */
  readonly in2Days: Certificate;
  readonly in10Days: Certificate;
  /** Of six days, with so much left. */
  readonly shortWith5Days: Certificate;
  readonly shortWith40Hours: Certificate;
  readonly shortWith12Hours: Certificate;
  /** The intermediate expires in two days, the server's own in 80. */
  readonly fadingIssuer: Certificate;
  /** Presented beside a good chain: the root, signed by an older one that has expired, as DST Root CA X3 did in 2021. */
  readonly crossSigned: Certificate;
  /** A date as it stands in the certificates: whole seconds. */
  readonly at: (days: number) => number;
}

export function makeDefects(): Defects {
  const now = Math.floor(Date.now() / 1_000) * 1_000;
  const at = (days: number) => now + Math.round((days * day) / 1_000) * 1_000;
  const dir = mkdtempSync(join(tmpdir(), 'highwater-trust-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const read = (name: string) => readFileSync(join(dir, name), 'utf8');
  writeFileSync(join(dir, 'index.txt'), '');
  writeFileSync(
    join(dir, 'ca.cnf'),
    '[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nrand_serial=yes\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n' +
      'unique_subject=no\ncopy_extensions=copy\n[p]\ncommonName=supplied\n',
  );
  const stamp = (time: number) => new Date(time).toISOString().replace(/[-:T]|\.000/g, '');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const forName = (name: string) =>
    `subjectAltName=DNS:${name}${name === 'localhost' ? ',IP:127.0.0.1' : ''}`;
  const isCa = 'basicConstraints=critical,CA:TRUE';
  const self = (name: string, subject: string) =>
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      '-days',
      '3000',
      '-subj',
      `/CN=${subject}`,
    );
  const sign = (
    name: string,
    by: string,
    days: readonly [from: number, to: number],
    what: { readonly subject: string; readonly extension: string; readonly key?: string },
  ): Certificate => {
    const key = what.key ?? name;
    const keyed =
      what.key === undefined ? [...newKey, '-keyout', `${key}.key`] : ['-new', '-key', `${key}.key`];
    openssl(
      'req',
      ...keyed,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${what.subject}`,
      '-addext',
      what.extension,
    );
    openssl(
      ...['ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', `${by}.pem`, '-keyfile', `${by}.key`],
      ...['-in', `${name}.csr`, '-out', `${name}.pem`],
      ...['-startdate', stamp(at(days[0])), '-enddate', stamp(at(days[1]))],
    );
    return { key: read(`${key}.key`), cert: read(`${name}.pem`) };
  };
  const under = ({ key, cert }: Certificate, ...above: string[]): Certificate => ({
    key,
    cert: [cert, ...above.map((name) => read(`${name}.pem`))].join(''),
  });
  self('root', 'Test Root');
  self('old', 'Old Root');
  self('foreign', 'Foreign Root');
  self('self', 'localhost');
  sign('middle', 'root', [-400, 1_000], { subject: 'Middle', extension: isCa });
  sign('fading', 'root', [-400, 2], { subject: 'Fading', extension: isCa });
  sign('cross', 'old', [-800, -30], { subject: 'Test Root', extension: isCa, key: 'root' });
  let count = 0;
  const leaf = (from: number, to: number, name = 'localhost', by = 'middle') =>
    sign(`leaf${(count += 1)}`, by, [from, to], { subject: name, extension: forName(name) });
  const good = leaf(-10, 80);
  const made: Defects = {
    root: read('root.pem'),
    old: read('old.pem'),
    good: under(good, 'middle'),
    expired: under(leaf(-91, -1), 'middle'),
    future: under(leaf(1, 91), 'middle'),
    wrongHost: under(leaf(-10, 80, 'other.example'), 'middle'),
    selfSigned: { key: read('self.key'), cert: read('self.pem') },
    incomplete: good,
    foreign: under(leaf(-10, 80, 'localhost', 'foreign'), 'foreign'),
    in2Days: under(leaf(-88, 2), 'middle'),
    in10Days: under(leaf(-80, 10), 'middle'),
    shortWith5Days: under(leaf(-1, 5), 'middle'),
    shortWith40Hours: under(leaf(40 / 24 - 6, 40 / 24), 'middle'),
    shortWith12Hours: under(leaf(-5.5, 0.5), 'middle'),
    fadingIssuer: under(leaf(-10, 80, 'localhost', 'fading'), 'fading'),
    crossSigned: under(good, 'middle', 'cross'),
    at,
  };
  rmSync(dir, { recursive: true });
  return made;
}
