/** THE TABLE of commands: a new one is a new file and one line here. Loaded only when it runs. */
import type { Command } from 'commander';
import { plannedCommand, plannedCommands } from './planned.ts';

export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./up.ts')).upCommand(),
  init: async () => (await import('./init.ts')).initCommand(),
  config: async () => (await import('./config.ts')).configCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  uptime: async () => (await import('./uptime.ts')).uptimeCommand(),
  log: async () => (await import('./log.ts')).logCommand(),
  why: async () => (await import('./why.ts')).whyCommand(),
  explain: async () => (await import('./explain.ts')).explainCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  alerts: async () => (await import('./alerts.ts')).alertsCommand(),
  maintenance: async () => (await import('./maintenance.ts')).maintenanceCommand(),
  report: async () => (await import('./report.ts')).reportCommand(),
  verify: async () => (await import('./verify.ts')).verifyCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  collector: async () => (await import('./collector.ts')).collectorCommand(),
  probe: async () => (await import('./probe.ts')).probeCommand(),
  backup: async () => (await import('./backup.ts')).backupCommand(),
  restore: async () => (await import('./restore.ts')).restoreCommand(),
  rebuild: async () => (await import('./rebuild.ts')).rebuildCommand(),
  site: async () => (await import('./site.ts')).siteCommand(),
  ...Object.fromEntries(
    Object.keys(plannedCommands).map((name) => [name, async () => plannedCommand(name)] as const),
  ),
};
