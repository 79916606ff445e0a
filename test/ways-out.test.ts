import { existsSync, readFileSync } from 'node:fs';
import { ESLint, Linter } from 'eslint';
import ts from 'typescript-eslint';
import { describe, expect, it } from 'vitest';
import { exceptions, waysOut } from '../eslint.ways-out.ts';

const parsed = { files: ['**/*.ts'], languageOptions: { parser: ts.parser } };
const rules: Linter.Config[] = [parsed, ...waysOut()];

/** What the rules say of a text, were it this file. Without types: they need none. */
function said(file: string, text: string): string[] {
  return new Linter({ cwd: process.cwd() })
    .verify(text, rules, { filename: file })
    .map(({ message }) => message);
}

/** Each kind of call out, by what it comes from. */
const calls = [
  "import { connect } from 'node:net'; connect(1);",
  "import { connect } from 'net'; connect(1);",
  "import net from 'node:net'; net.connect(1);",
  "import * as net from 'node:net'; net.connect(1);",
  "import { connect } from 'node:tls'; connect({});",
  "import { request } from 'node:http'; request('x');",
  "import { get } from 'node:https'; get('x');",
  "import { connect } from 'node:http2'; connect('x');",
  "import { createSocket } from 'node:dgram'; createSocket('udp4');",
  "import { lookup } from 'node:dns'; lookup('x', () => 0);",
  "import { resolve4 } from 'node:dns/promises'; resolve4('x');",
  "import { request } from 'undici'; request('x');",
  "import Client from 'undici/lib/dispatcher/client.js'; new Client('x');",
  "import { WebSocket } from 'ws'; new WebSocket('x');",
  "import { createTransport } from 'nodemailer'; createTransport('x');",
  "import { execFile } from 'node:child_process'; execFile('curl');",
  "export { connect } from 'node:net';",
  "export * from 'node:net';",
  "await import('node:net');",
  "await import('undici');",
  "await import('ws/wrapper.mjs');",
  "const name = 'node:net'; await import(name);",
  'await import(`node:net`);',
  "require('node:net');",
  "import net = require('node:net'); net.connect(1);",
  "import { createRequire } from 'node:module'; createRequire('x')('net');",
  "process.getBuiltinModule('node:net');",
  "process['getBuiltinModule']('node:net');",
  "const { getBuiltinModule } = process; getBuiltinModule('net');",
  "import { getBuiltinModule } from 'node:process'; getBuiltinModule('net');",
  "process.binding('tcp_wrap');",
  "fetch('x');",
  "new WebSocket('x');",
  "new EventSource('x');",
  "globalThis.fetch('x');",
  "globalThis['fetch']('x');",
  'const { fetch: ask } = globalThis; ask();',
  "Reflect.get(globalThis, 'fetch')('x');",
  "process.execve('/usr/bin/curl', ['curl', 'x']);",
  "process['execve']('/usr/bin/curl');",
  "import { execve } from 'node:process'; execve('/usr/bin/curl');",
  "import { Pushgateway } from 'prom-client'; new Pushgateway('x');",
  "import prom from 'prom-client'; new prom.Pushgateway('x');",
  "export const load = async ({ fetch }) => fetch('x');",
  "export const load = async ({ 'fetch': ask }) => ask('x');",
  "export async function load(event) { const { fetch } = event; await fetch('x'); }",
  "export async function load(event) { await event.fetch('x'); }",
];

/** What looks like one. */
const harmless = [
  "import type { Socket } from 'node:net'; export let socket: Socket;",
  "import { type Socket, isIP } from 'node:net'; export let socket: Socket; isIP('x');",
  "import { BlockList } from 'node:net'; new BlockList();",
  'export const f = (shelf: { fetch(x: string): void }) => shelf.fetch("x");',
  'export const f = (fetch: () => void) => fetch();',
  "await import('./x.ts');",
  "import { Counter, Gauge, type Metric, Registry } from 'prom-client'; new Registry();",
];

/** Those that a check could make past the rules of the way out, and what it may use of the same folders. */
const openers = [
  "import { openTcp } from '../io/connect.ts'; openTcp('10.0.0.1', 1);",
  "import { openTcp } from '../../io/connect.ts'; openTcp('10.0.0.1', 1);",
  "import * as ways from '../io/exchange.ts'; ways.openWay();",
  "export { openSocket } from '../io/socket.ts';",
  "import { askServer } from '../io/dns-ask.ts'; askServer();",
  "import { makeResolve } from '../io/resolve.ts'; makeResolve();",
  "await import('../io/connect.ts');",
  "import { tellOnce } from '../once.ts'; tellOnce({});",
  "import { lastingShelf } from '../lasting.ts'; lastingShelf();",
];
const used = [
  "import { joinPath } from '../io/url.ts'; joinPath();",
  "import { noPhases } from '../../io/stopwatch.ts'; noPhases;",
  "import type { Outside } from '../io/outside.ts'; export let outside: Outside;",
  "import { faultError } from '../fault.ts'; faultError('x');",
];

/** A place in each room where nobody calls out, and what is said to those who do. */
const places = [
  ['probe/src/planted.ts', 'Checks go out by probe/src/io alone'],
  ['probe/src/checks/planted.ts', 'Checks go out by probe/src/io alone'],
  ['probe/src/io/planted.ts', 'Checks go out by probe/src/io alone'],
  ['collector/src/http/planted.ts', 'The collector calls nobody'],
  ['alerts/src/planted.ts', 'Messages go out by alerts/src/channels alone'],
  ['status-site/src/lib/planted.ts', 'The page reaches the collector by'],
  ['status-site/server/planted.ts', 'The page reaches the collector by'],
  ['bin/commands/planted.ts', 'Commands ask the collector by bin/collector-client.ts'],
  ['config/src/planted.ts', 'The words of the house call nobody'],
] as const;

describe('one way out', () => {
  it.each(places)('each call in %s is found', (file, way) => {
    const silent = calls.filter((text) => !said(file, text).some((message) => message.includes(way)));
    expect(silent).toEqual([]);
    expect(harmless.flatMap((text) => said(file, text))).toEqual([]);
  });

  it.each(['probe/src/checks/planted.ts', 'probe/src/checks/chains/planted.ts'])(
    'what opens is given to %s and not imported',
    (file) => {
      const way = 'Checks go out by probe/src/io alone';
      expect(openers.filter((text) => !said(file, text).some((each) => each.includes(way)))).toEqual([]);
      expect(used.flatMap((text) => said(file, text))).toEqual([]);
      expect(openers.flatMap((text) => said('probe/src/planted.ts', text))).toEqual([]);
    },
  );

  it('tests may play both sides', () => {
    expect(calls.flatMap((text) => said('probe/src/io/planted.test.ts', text))).toEqual([]);
  });

  it.each(exceptions.map(({ file, uses }) => [file, uses] as const))(
    '%s has leave for what it needs and no more',
    (file, uses) => {
      expect(existsSync(file)).toBe(true);
      const text = readFileSync(file, 'utf8');
      expect(said(file, text)).toEqual([]);
      // Leave that nobody needs is taken back: the same text in another file is found, and has each name.
      expect(said(file.replace(/\.ts$/, '-planted.ts'), text).length).toBeGreaterThan(0);
      const names = Object.values(uses).flat();
      expect(names.filter((name) => !text.includes(name.replace(')', '')))).toEqual([]);
      // Whatever else it does is found there too.
      const given = Object.entries(uses).flatMap(([from, own]) =>
        from === 'globals'
          ? own
          : from === 'any file'
            ? ['import(']
            : [`'${from}'`, `'${from.replace('node:', '')}'`],
      );
      const silent = calls.filter((call) => said(file, call).length === 0);
      expect(silent.filter((call) => !given.some((word) => call.includes(word)))).toEqual([]);
    },
  );

  it('the rules of a file are those of the lint that runs', async () => {
    const eslint = new ESLint();
    const plain = new ESLint({ overrideConfigFile: true, overrideConfig: rules });
    const names = [
      '@typescript-eslint/no-restricted-imports',
      'no-restricted-globals',
      'no-restricted-syntax',
    ];
    const files = [...places.map(([file]) => file), ...exceptions.map(({ file }) => file)];
    for (const file of [...files, 'status-site/src/routes/+page.svelte']) {
      const whole = (await eslint.calculateConfigForFile(file)) as { rules: Record<string, unknown[]> };
      const ours = (await plain.calculateConfigForFile(file)) as { rules: Record<string, unknown[]> };
      for (const name of names) {
        const asked = (ours.rules[name] ?? []).slice(1);
        expect(asked.length).toBeGreaterThan(0);
        expect(whole.rules[name]?.[0]).toBe(2);
        expect(whole.rules[name]).toEqual(expect.arrayContaining(asked));
      }
    }
  });
});
