/** Certificates for tests, made by openssl: a CA and leaves with one thing wrong each. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface Certificates {
  readonly ca: string;
  readonly good: Certificate;
  readonly expired: Certificate;
  readonly future: Certificate;
  readonly wrongHost: Certificate;
  readonly selfSigned: Certificate;
}

/** For `localhost` and 127.0.0.1, apart from `wrongHost`. */
export function makeCertificates(): Certificates {
  const dir = mkdtempSync(join(tmpdir(), 'highwater-tls-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const read = (name: string) => readFileSync(join(dir, name), 'utf8');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
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
      '30',
      '-subj',
      subject,
    );
  self('ca', '/CN=Test CA');
  self('self', '/CN=localhost');
  writeFileSync(join(dir, 'index.txt'), '');
  writeFileSync(join(dir, 'serial'), '01\n');
  writeFileSync(
    join(dir, 'ca.cnf'),
    '[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n' +
      'unique_subject=no\ncopy_extensions=copy\n[p]\ncommonName=supplied\n',
  );
  const leaf = (name: string, host: string, from: string, to: string): Certificate => {
    const names = host === 'localhost' ? 'DNS:localhost,IP:127.0.0.1' : `DNS:${host}`;
    openssl(
      ...['req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${host}`],
      ...['-addext', `subjectAltName=${names}`],
    );
    openssl(
      ...['ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key'],
      ...['-in', `${name}.csr`, '-out', `${name}.pem`, '-startdate', from, '-enddate', to],
    );
    return { key: read(`${name}.key`), cert: read(`${name}.pem`) };
  };
  return {
    ca: read('ca.pem'),
    good: leaf('good', 'localhost', '20200101000000Z', '20990101000000Z'),
    expired: leaf('expired', 'localhost', '20200101000000Z', '20210101000000Z'),
    future: leaf('future', 'localhost', '20980101000000Z', '20990101000000Z'),
    wrongHost: leaf('wrong', 'other.example', '20200101000000Z', '20990101000000Z'),
    selfSigned: { key: read('self.key'), cert: read('self.pem') },
  };
}
