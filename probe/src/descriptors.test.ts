import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { isOutOfDescriptors } from './descriptors.ts';

it('a process has descriptors', () => expect(isOutOfDescriptors()).toBe(false));

it('a process that has none left says so of connections and of names', () => {
  const at = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const source = `
    const { openSync } = await import('node:fs');
    const { openTcp } = await import(${at('./io/connect.ts')});
    const { makeResolve } = await import(${at('./io/resolve.ts')});
    const { faultOf } = await import(${at('./fault.ts')});
    const { faultId } = await import(${at('../../config/src/faults.ts')});
    const { isOutOfDescriptors } = await import(${at('./descriptors.ts')});
    const { ownUp } = await import(${at('./self.ts')});
    const resolve = makeResolve({ servers: ['127.0.0.1:9'], timeoutMs: 200 });
    const say = (thrown, phase) => {
      const evidence = { family: 'name', loopback: true, controls: [], loopLateMs: 0, clockStepMs: 0 };
      const found = faultOf(thrown, phase);
      return faultId(ownUp(found, { ...evidence, isClockSure: true, isOutOfDescriptors: isOutOfDescriptors(), timeoutMs: 1_000 }));
    };
    const said = [];
    try { for (;;) openSync('/dev/null'); } catch { said.push(isOutOfDescriptors()); }
    await resolve('a.example').catch((thrown) => said.push(say(thrown, 'resolve')));
    const signal = new AbortController().signal;
    await openTcp('127.0.0.1', 9, signal).catch((thrown) => said.push(say(thrown, 'connect')));
    console.log(said.join(' '));`;
  // Enough for Node and what it loads, and no more.
  const shell = 'ulimit -n 80; exec "$0" --input-type=module -e "$1"';
  const { stdout, stderr } = spawnSync('sh', ['-c', shell, process.execPath, source], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({
    stdout: 'true probe.fd.exhausted probe.fd.exhausted\n',
    stderr: '',
  });
});
