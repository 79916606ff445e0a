import type { IConfiguration } from 'dependency-cruiser';
/** Imports form a star (docs/architecture.md): everything may import config, bin may import everything. */
const rooms = ['probe', 'collector', 'alerts', 'status-site'];

export const importRules: IConfiguration = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle means that two files are one idea, or that a third is missing.',
      severity: 'error' as const,
      from: {},
      to: { circular: true },
    },
    {
      name: 'config-imports-nothing-of-ours',
      severity: 'error' as const,
      from: { path: '^config/' },
      to: { path: '^(probe|collector|alerts|status-site|bin|test)/' },
    },
    ...rooms.map((room) => ({
      name: `${room}-imports-only-config`,
      comment: 'Between parts there is only HTTP with the schemas of config/src/wire.ts.',
      severity: 'error' as const,
      from: { path: `^${room}/`, pathNot: '[.]test[.]ts$' },
      to: { path: `^(${rooms.filter((other) => other !== room).join('|')}|bin|test)/` },
    })),
    {
      name: 'nothing-imports-bin',
      severity: 'error' as const,
      from: { pathNot: '^(bin|test)/' },
      to: { path: '^bin/' },
    },
    {
      name: 'nothing-imports-test',
      severity: 'error' as const,
      from: { pathNot: '(^test/|[.]test[.]ts$)' },
      to: { path: '^test/' },
    },
    {
      name: 'decisions-import-no-shell',
      comment: 'The shell imports the decisions, never the other way.',
      severity: 'error' as const,
      from: { path: '/src/decide/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(probe|collector|alerts)/src/', pathNot: '/src/decide/|^alerts/src/render[.]ts$' },
    },
    {
      name: 'sql-lives-in-the-store',
      severity: 'error' as const,
      from: { path: '^collector/', pathNot: '^collector/src/store/' },
      to: { path: 'node_modules/better-sqlite3' },
    },
    {
      name: 'resolvable',
      severity: 'error' as const,
      from: {},
      to: { couldNotResolve: true, pathNot: '^([$]app/|#lib|#app|[.]/[$]types$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(build|[.]svelte-kit|data)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'svelte', 'default', 'types'],
    },
  },
};
