import { defineConfig } from 'vitest/config';

// As in vitest.config.ts: a time that is read as local where UTC is meant turns tests red.
process.env['TZ'] = 'America/New_York';

/** Faults and soaks: minutes, not seconds; each prints its seed. HIGHWATER_KILLS sets the kills per role. */
export default defineConfig({
  test: {
    include: ['test/{faults,e2e}/**/*.long.test.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
    fileParallelism: false,
  },
});
