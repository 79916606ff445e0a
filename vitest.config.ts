import { defineConfig } from 'vitest/config';

// Away from UTC, summer time and all: a time that is read or shown as local where UTC is meant turns tests red.
process.env['TZ'] = 'America/New_York';

/** Of the end-to-end tests, which have the machine to themselves, the one that mostly waits for a minute to end and holds nothing to a time. */
const WAITING = 'test/e2e/log.test.ts';

/** Unit tests stand beside their file; what crosses packages is in test/. */
export default defineConfig({
  test: {
    // On two cores the default is one worker; what waits for servers and clocks leaves room for another.
    maxWorkers: '150%',
    // What hangs is found soon enough; a property of a few seconds must not fail on a slow machine.
    testTimeout: 30_000,
    // Real name servers, web servers and programs are started and built in hooks.
    hookTimeout: 60_000,
    // What is waited for comes at once, or on a slow machine a while later: a limit, not a wait.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      { test: { name: 'architecture', include: ['test/{architecture,ways-out}.test.ts'] } },
      {
        test: {
          name: 'unit',
          include: [
            '{config,probe,collector,alerts,bin}/**/*.test.ts',
            'test/{contracts,scenarios,conformance}/**/*.test.ts',
          ],
        },
      },
      { test: { name: 'site', include: ['status-site/src/**/*.test.ts'] } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [WAITING, '**/*.long.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      { test: { name: 'e2e-beside', include: [WAITING], testTimeout: 120_000, hookTimeout: 60_000 } },
    ],
  },
});
