/** `highwater site`: the public page. */
import { Command } from 'commander';
import { loadConfigFile } from '../config-file.ts';
import { apiToken, bindAddress, collectorUrl, configFile, dataDir, portOf } from '../options.ts';
import { restarting } from '../restarting.ts';
import { runRole } from '../role.ts';

interface SiteFlags {
  readonly config?: string;
  readonly data?: string;
  readonly collector?: string;
  readonly port?: string;
  readonly bind?: string;
  readonly insecure?: boolean;
}

export function siteCommand(): Command {
  return new Command('site')
    .description('the public page; built first where it is missing or older than its sources')
    .option('--config <FILE>', "the configuration, for the page's own address (HIGHWATER_CONFIG); not needed")
    .option(
      '--data <DIR>',
      "where the last good snapshot is kept (HIGHWATER_DATA; default data in the program's folder)",
    )
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--port <PORT>', 'where it listens (HIGHWATER_SITE_PORT; default 3000; 0 is any free one)')
    .option('--bind <ADDRESS>', 'the address it listens on (HIGHWATER_BIND; default 127.0.0.1)')
    .option('--insecure', 'plain http to a collector on another machine')
    .addHelpText(
      'after',
      '\nExample:\n  highwater site --collector https://collector.example.com --bind 0.0.0.0',
    )
    .action((options: SiteFlags) => run(options));
}

async function run(options: SiteFlags): Promise<void> {
  const { ensureBuilt } = await import('../../status-site/server/build.ts');
  const { startSite } = await import('../../status-site/server/serve.ts');
  const data = dataDir(options.data);
  const token = apiToken(data);
  await runRole('site', async (log, signal) => {
    await ensureBuilt(log);
    return restarting({
      read: () => siteUrlOf(options.config),
      start: (siteUrl, port = portOf('site', options.port), ending) =>
        startSite(
          {
            collectorUrl: collectorUrl(options.collector, options.insecure),
            dataDir: data,
            host: bindAddress(options.bind),
            port,
            log,
            ...(token === undefined ? {} : { token }),
            ...siteUrl,
          },
          ending,
        ),
      log,
      signal,
    });
  });
}

/** The page must come up whatever stands in the config: with mistakes in it, the address is the snapshot's. */
function siteUrlOf(file: string | undefined): { siteUrl?: string } {
  if (file === undefined) return {};
  try {
    const loaded = loadConfigFile(configFile(file));
    return 'config' in loaded ? { siteUrl: loaded.config.site.url } : {};
  } catch {
    return {};
  }
}
