import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrMakeSigningKey } from '@highwater/config/keys.ts';
import { expect, it } from 'vitest';
import { testHouse } from '../collector/src/testing/config.ts';
import { exitCode } from './exit.ts';
import { operatorKeyFile } from './local-probe.ts';
import { refuseOtherHistory } from './operator-key.ts';

it('a folder with another history ends a start with 1, and a question whose answer no is 1 with 2', () => {
  const { config } = testHouse();
  const folder = mkdtempSync(join(tmpdir(), 'highwater-'));
  try {
    expect(() => refuseOtherHistory(config, folder)).not.toThrow();
    loadOrMakeSigningKey(operatorKeyFile(folder), 'other.example/status');
    const code = (...more: number[]): unknown => {
      try {
        refuseOtherHistory(config, folder, ...(more as [number?]));
      } catch (error) {
        return (error as { code?: unknown }).code;
      }
    };
    expect(code()).toBe(1);
    expect(code(exitCode.usage)).toBe(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
