import { expect, it } from 'vitest';
import { changesSection, maintenanceSection } from './markdown-log.ts';
import { sampleReport } from './testing/sample.ts';

it('what counts from minutes that were known already is said to do so', () => {
  const report = sampleReport();
  const { configs, keys, maintenance } = report.logged;
  const ahead = (regionsAhead: number) => ({
    ...report,
    logged: {
      ...report.logged,
      configs: configs.map((one) => ({ ...one, regionsAhead })),
      keys: keys.map((one) => ({ ...one, regionsAhead })),
      maintenance: maintenance.map((one) => ({ ...one, regionsAhead })),
    },
  });
  const told = (of: typeof report): number =>
    [...changesSection(of), ...maintenanceSection(of)].join('\n').split('had already reported').length - 1;
  expect(told(report)).toBe(0);
  expect(told(ahead(3))).toBe(configs.length + keys.length + maintenance.length);
  expect(maintenanceSection(ahead(1)).join('\n')).toContain('a minute that 1 region had already reported');
});
