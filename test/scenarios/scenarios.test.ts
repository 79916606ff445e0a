/** Every script beside this file gives the text it says. SCENARIO_REWRITE=1 writes what comes: read the diff. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runScript } from './harness.ts';

const folder = import.meta.dirname;
const scripts = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('scenarios', () => {
  it.each(scripts)('%s', (name) => {
    const file = join(folder, name);
    const script = readFileSync(file, 'utf8');
    const came = runScript(script);
    if (process.env['SCENARIO_REWRITE'] === '1') writeFileSync(file, came);
    else expect(came).toBe(script);
  });

  it('has scripts, and a script whose expectation is wrong fails', () => {
    expect(scripts.length).toBeGreaterThanOrEqual(11);
    const wrong = 'world regions=eu\nservice rpc "RPC" nodes=a@x\nrun 1s\n----\nnothing happens\n';
    expect(runScript(wrong)).not.toBe(wrong);
  });

  it('refuses a command that it does not know', () => {
    expect(() => runScript('dance\n----\nok\n')).toThrow('unknown command: dance');
  });
});
