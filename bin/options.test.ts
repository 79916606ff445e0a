import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  bindAddress,
  callersFile,
  collectorUrl,
  configFile,
  dataDir,
  portOf,
  programRoot,
} from './options.ts';

afterEach(() => vi.unstubAllEnvs());

describe('a flag wins, then the variable, then the default', () => {
  it('for files, against the folder of the caller', () => {
    vi.stubEnv('INIT_CWD', '/home/ada');
    vi.stubEnv('HIGHWATER_DATA', 'hw');
    expect(dataDir('mine')).toBe('/home/ada/mine');
    expect(dataDir()).toBe('/home/ada/hw');
    expect(callersFile('/absolute')).toBe('/absolute');
    vi.stubEnv('HIGHWATER_DATA', '');
    expect(dataDir()).toBe(`${programRoot}data`);
    expect(configFile()).toBe(`${programRoot}config/highwater.yaml`);
  });

  it('for ports and addresses', () => {
    vi.stubEnv('HIGHWATER_SITE_PORT', '8080');
    expect(portOf('site', '0')).toBe(0);
    expect(portOf('site')).toBe(8080);
    expect(portOf('collector')).toBe(4000);
    vi.stubEnv('HIGHWATER_BIND', '0.0.0.0');
    expect(bindAddress()).toBe('0.0.0.0');
    expect(bindAddress('::1')).toBe('::1');
  });

  it.each(['-1', '65536', '80a', '', ' 80'])('refuses the port %o by the flag’s name', (port) => {
    expect(() => portOf('site', port)).toThrow(/--port .*: not a port/);
  });
});

describe('the collector’s address', () => {
  it.each([
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000'],
    ['http://localhost:4000/', 'http://localhost:4000'],
    ['http://[::1]:4000', 'http://[::1]:4000'],
    ['https://hw.example.com/collector/', 'https://hw.example.com/collector'],
  ])('takes %s', (given, used) => {
    expect(collectorUrl(given)).toBe(used);
  });

  it.each([
    ['ftp://hw.example.com', /not an http or https URL/],
    ['hw.example.com', /not an http or https URL/],
    ['http://hw.example.com', /plain http to another machine, write https or add --insecure/],
    ['http://127.0.0.1.example.com', /plain http to another machine/],
    ['https://user:CANARY@hw.example.com', /has a password in it/],
  ])('refuses %s', (given, message) => {
    expect(() => collectorUrl(given)).toThrow(message);
    expect(() => collectorUrl(given)).not.toThrow(/CANARY/);
  });

  it('takes plain http to another machine where that is asked for', () => {
    expect(collectorUrl('http://hw.example.com', true)).toBe('http://hw.example.com');
  });
});
