import { describe, expect, it } from 'vitest';
import { classify, parseConsent, refusal } from './reach.ts';

describe('an address is public, private or metadata', () => {
  it.each([
    ['1.1.1.1', 'public'],
    ['93.184.216.34', 'public'],
    ['2606:4700::1111', 'public'],
    ['127.0.0.1', 'private'],
    ['127.255.255.254', 'private'],
    ['0.0.0.0', 'private'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['192.0.2.10', 'private'],
    ['198.19.0.1', 'private'],
    ['224.0.0.1', 'private'],
    ['255.255.255.255', 'private'],
    ['::1', 'private'],
    ['::', 'private'],
    ['fc00::1', 'private'],
    ['fe80::1', 'private'],
    ['fe80::1%eth0', 'private'],
    ['2001:db8::1', 'private'],
    ['2002:7f00:1::', 'private'],
    ['ff02::1', 'private'],
    ['::ffff:127.0.0.1', 'private'],
    ['::ffff:7f00:1', 'private'],
    ['::ffff:8.8.8.8', 'public'],
    ['64:ff9b::a9fe:a9fe', 'metadata'],
    ['64:ff9b::808:808', 'public'],
    ['::127.0.0.1', 'private'],
    ['169.254.169.254', 'metadata'],
    ['169.254.170.2', 'metadata'],
    ['::ffff:169.254.169.254', 'metadata'],
    ['::ffff:a9fe:a9fe', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['not an address', 'private'],
  ])('%s is %s', (address, kind) => {
    expect(classify(address)).toBe(kind);
  });
});

describe('a private address needs the consent of monitor and probe', () => {
  const none = parseConsent([]);
  const lan = parseConsent(['10.0.0.0/8', 'fd00::/8']);
  const config = parseConsent(['config']);
  it.each([
    ['10.0.0.1', true, lan, undefined],
    ['::ffff:10.0.0.1', true, lan, undefined],
    ['fd00::1', true, lan, undefined],
    ['10.0.0.1', false, lan, '10.0.0.1 is private and the monitor does not allow that'],
    ['10.0.0.1', true, none, '10.0.0.1 is private and this probe does not consent to it'],
    ['127.0.0.1', true, lan, '127.0.0.1 is private and this probe does not consent to it'],
    ['127.0.0.1', true, config, undefined],
    ['127.0.0.1', false, config, '127.0.0.1 is private and the monitor does not allow that'],
    ['169.254.169.254', true, config, '169.254.169.254 is a cloud metadata address'],
    ['169.254.169.254', true, parseConsent(['0.0.0.0/0']), '169.254.169.254 is a cloud metadata address'],
    ['8.8.8.8', false, none, undefined],
    [
      '0.0.0.0',
      true,
      parseConsent(['0.0.0.0/8']),
      '0.0.0.0 is private and this probe does not consent to it',
    ],
    ['0.0.0.0', true, parseConsent(['127.0.0.0/8']), undefined],
    [
      '::ffff:0.0.0.0',
      true,
      parseConsent(['0.0.0.0/8']),
      '::ffff:0.0.0.0 is private and this probe does not consent to it',
    ],
    ['::', true, parseConsent(['::/128']), ':: is private and this probe does not consent to it'],
    ['0:0:0:0:0:0:0:0', true, parseConsent(['::1']), undefined],
  ])('%s with allowPrivate %s', (address, allowPrivate, consent, because) => {
    expect(refusal(address, allowPrivate, consent)).toBe(because);
  });

  it.each(['10.0.0.0/33', '10.0.0/8', 'lan', '10.0.0.0/', '::/129', '10.0.0.0/-1'])(
    '%s is not a network',
    (cidr) => {
      expect(() => parseConsent([cidr])).toThrow(
        `--allow-private: '${cidr}' is not a network; write one such as 10.0.0.0/8 or fd00::/8`,
      );
    },
  );
});
