import { describe, expect, it } from 'vitest';
import { typedPlace } from './typed-place.ts';

describe('a place that is typed', () => {
  it.each([
    ['tcp://127.0.0.1:22', 'tcp', 'http://127.0.0.1:22'],
    ['tcp://[::1]:22', 'tcp', 'http://[::1]:22'],
    ['mail.example.com:25', 'tcp', 'http://mail.example.com:25'],
    ['tcp://mail.example.com:465', 'tls', 'https://mail.example.com:465'],
    ['tls://mail.example.com:465', 'tls', 'https://mail.example.com:465'],
    ['example.com', 'tls', 'https://example.com'],
    ['example.com', 'dns', 'http://example.com'],
    ['_dmarc.example.com', 'dns', 'http://_dmarc.example.com'],
  ])('%s of kind %s is %s', (subject, kind, url) => {
    expect(typedPlace(subject, kind, {})).toBe(url);
    expect(URL.canParse(url)).toBe(true);
  });

  it.each([
    ['example.com', 'tcp'],
    ['web/main/http', 'tcp'],
    ['http://a.example:80', 'tcp'],
    ['example.com:53', 'dns'],
    ['example.com:443/ws', 'tls'],
    ['user@example.com:443', 'tls'],
    ['127.0.0.1:80', 'http'],
    ['127.0.0.1:80', undefined],
  ])('%s of kind %s is none', (subject, kind) => {
    expect(typedPlace(subject, kind, {})).toBeUndefined();
  });

  it('needs no port that the settings name', () => {
    expect(typedPlace('tcp://example.com', 'tcp', { port: 22 })).toBe('http://example.com');
  });
});
