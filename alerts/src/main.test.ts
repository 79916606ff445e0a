import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Config, Policy } from '@highwater/config/model.ts';
import { alertList } from '@highwater/config/wire.ts';
import { startDiscord } from '../../test/fixtures/discord.ts';
import { incidentOf, resolvedOf, startFeed } from '../../test/fixtures/feed.ts';
import { startSmtp } from '../../test/fixtures/smtp.ts';
import { startAlerts } from './main.ts';
import type { AlertsOptions } from './main.ts';
import { sendTest } from './test.ts';

const toBoth: Policy = { match: {}, steps: [{ afterMs: 0, notify: ['ops', 'mail'] }] };

async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 8_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function world(policies: readonly Policy[] = [toBoth]) {
  await using stack = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'highwater-alerts-'));
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const discord = stack.use(await startDiscord());
  const smtp = stack.use(await startSmtp({ user: 'status', pass: 'smtp-canary-pässword' }));
  const feed = stack.use(await startFeed());
  const env = { HOOK: discord.webhookUrl, SMTP: smtp.url };
  const config = {
    site: { name: 'Example Nodes', url: 'https://status.example.com' },
    services: [{ id: 'rpc', name: 'Dev RPC' }],
    regions: ['eu', 'us', 'sg'].map((id) => ({ id, name: id })),
    probes: ['eu', 'us', 'sg'].map((region) => ({ id: `${region}-1`, region })),
    alerts: {
      channels: [
        { id: 'ops', kind: 'discord', settings: { webhook: 'env:HOOK' } },
        {
          id: 'mail',
          kind: 'email',
          settings: { smtp: 'env:SMTP', from: 'status@example.com', to: ['oncall@example.com'] },
        },
      ],
      policies,
    },
  } as unknown as Config;
  let logged = '';
  const log = pino({ level: 'trace' }, { write: (line: string) => void (logged += line) });
  const running = new Set<() => Promise<void>>();
  const start = async (over: Partial<AlertsOptions> = {}) => {
    const stop = new AbortController();
    const options: AlertsOptions = {
      config,
      dataDir,
      collectorUrl: feed.url,
      host: '127.0.0.1',
      port: 0,
      log,
      secretEnv: env,
      ...over,
      timings: { waitSeconds: 5, graceMs: 500, tickMs: 20, maxRetryMs: 50, drainMs: 500, ...over.timings },
    };
    const role = await startAlerts(options, stop.signal);
    const end = async () => {
      stop.abort();
      await role.stopped;
    };
    running.add(end);
    return { ...role, end };
  };
  const kept = stack.move();
  return {
    dataDir, discord, smtp, feed, env, config, start,
    logged: () => logged,
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((end) => end()));
      await kept.disposeAsync();
    },
  }; // prettier-ignore
}

const began = (w: { logged(): string }) =>
  until('it follows the feed', () => w.logged().includes('feed.began'));

describe('one cause', () => {
  it('is one Discord message and one mail; its changes edit the message; recovery follows in both threads', async () => {
    await using w = await world();
    await w.start();
    await began(w);
    const incident = incidentOf('inc-1');
    w.feed.push({ type: 'incident.opened', incident });
    await until('both told', () => w.discord.messages.length === 1 && w.smtp.mails.length === 1);
    const [first] = w.discord.messages;
    expect(first?.embeds[0]?.title).toBe('Dev RPC is down');
    expect(first?.body['allowed_mentions']).toEqual({ parse: [] });

    const critical = { ...incident, impact: 'critical' as const, updates: [...incident.updates] };
    w.feed.push({ type: 'incident.updated', incident: critical });
    await until('the message is edited', () => w.discord.edits.length === 1);
    expect(w.discord.edits[0]?.id).toBe(first?.id);
    expect(w.discord.edits[0]?.embeds[0]?.description).toContain('critical');

    w.feed.push({ type: 'incident.resolved', incident: resolvedOf(critical) });
    await until('recovery told', () => w.discord.messages.length === 2 && w.smtp.mails.length === 2);
    expect(w.discord.messages[1]?.embeds[0]?.title).toBe('Resolved: Dev RPC is down');
    expect(w.discord.messages[1]?.embeds[0]?.description).toContain(`/${first?.id})`);
    expect(w.discord.edits.at(-1)?.id).toBe(first?.id);
    expect(w.discord.edits.at(-1)?.embeds[0]?.title).toBe('Resolved: Dev RPC is down');
    const [mail, recovery] = w.smtp.mails;
    expect(recovery?.headers.get('in-reply-to')).toBe(mail?.headers.get('message-id'));
    expect(recovery?.headers.get('references')).toBe(mail?.headers.get('message-id'));
    expect(recovery?.subject).toBe(`Re: ${mail?.subject}`);
    expect(recovery?.text).toContain('Resolved');
  });

  it('that comes back goes on in the same threads', async () => {
    await using w = await world();
    await w.start();
    await began(w);
    const incident = incidentOf('inc-1');
    w.feed.push(
      { type: 'incident.opened', incident },
      { type: 'incident.resolved', incident: resolvedOf(incident) },
      { type: 'incident.reopened', incident },
    );
    await until('told again', () => w.smtp.mails.length === 3 && w.discord.messages.length === 3);
    expect(w.smtp.mails[2]?.headers.get('in-reply-to')).toBe(w.smtp.mails[0]?.headers.get('message-id'));
    expect(w.discord.messages[2]?.embeds[0]?.title).toBe('Again: Dev RPC is down');
  });

  it('of impact none is not told', async () => {
    await using w = await world();
    await w.start();
    await began(w);
    w.feed.push({ type: 'incident.opened', incident: incidentOf('quiet', { impact: 'none' }) });
    w.feed.push({ type: 'incident.opened', incident: incidentOf('loud') });
    await until('the other one told', () => w.discord.messages.length > 0 && w.smtp.mails.length > 0);
    expect(JSON.stringify(w.discord.messages)).not.toContain('quiet');
    expect(w.discord.messages).toHaveLength(1);
  });
});

describe('policies', () => {
  const later: Policy = {
    match: { impact: ['major'] },
    steps: [
      { afterMs: 0, notify: ['ops'] },
      { afterMs: 400, notify: ['mail'] },
    ],
  };

  it('a later step runs when nobody acknowledges', async () => {
    await using w = await world([later]);
    await w.start();
    await began(w);
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('the message', () => w.discord.messages.length === 1);
    expect(w.smtp.mails).toEqual([]);
    await until('the mail', () => w.smtp.mails.length === 1);
    expect(w.smtp.mails[0]?.text).toContain('not acknowledged for 400ms');
  });

  it('acknowledgement stops later steps and shows in the message', async () => {
    await using w = await world([
      { ...later, steps: [later.steps[0]!, { afterMs: 1_000, notify: ['mail'] }] },
    ]);
    const { url } = await w.start();
    await began(w);
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('the message', () => w.discord.messages.length === 1);
    w.feed.push({ type: 'alert.acknowledged', incidentId: 'inc-1', by: 'ana' });
    await until('the edit', () => w.discord.edits.length === 1);
    expect(w.discord.edits[0]?.embeds[0]?.description).toContain('by ana');
    const { alerts } = alertList.parse(await (await fetch(`${url}/v1/alerts`)).json());
    expect(alerts[0]).toMatchObject({ state: 'open', acknowledged: { by: 'ana' } });
    expect(alerts[0]?.nextAt).toBeUndefined();
    // The mail's step would have been due by the time that a second incident's mail is there.
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-2') });
    await until('the other mail', () => w.smtp.mails.length === 1);
    expect(w.smtp.mails[0]?.text).toContain('inc-2');
  });
});

describe('a collector that does not answer', () => {
  it.each(['mute', 'broken'] as const)(
    '(%s) is told once, and once more when it is back',
    async (how) => {
      await using w = await world();
      await w.start({ timings: { silentAfterMs: 300, waitSeconds: 0 } });
      await began(w);
      w.feed.behave(how);
      await until('silence told', () => w.discord.messages.length === 1 && w.smtp.mails.length === 1);
      expect(w.smtp.mails[0]?.subject).toBe('[Example Nodes] The collector does not answer');
      w.feed.behave('well');
      await until('return told', () => w.discord.messages.length === 2 && w.smtp.mails.length === 2, 20_000);
      expect(w.discord.messages[1]?.embeds[0]?.title).toBe('Resolved: The collector does not answer');
    },
    30_000,
  );

  it('is told when it never answered, and a restart tells it no second time', async () => {
    await using w = await world();
    w.feed.behave('broken');
    const first = await w.start({ timings: { silentAfterMs: 200 } });
    await until('silence told', () => w.discord.messages.length === 1 && w.smtp.mails.length === 1);
    await first.end();
    await w.start({ timings: { silentAfterMs: 200 } });
    w.feed.setOpen([incidentOf('inc-9')]);
    w.feed.behave('well');
    await until('return and incident told', () => w.discord.messages.length === 3);
    const titles = w.discord.messages.map(({ embeds }) => embeds[0]?.title).sort();
    expect(titles).toEqual([
      'Dev RPC is down',
      'Resolved: The collector does not answer',
      'The collector does not answer',
    ]);
  });
});

describe('probes that are silent', () => {
  it('are told when they leave too few regions to judge by, and when enough are back', async () => {
    await using w = await world();
    await w.start();
    await began(w);
    const silent = (region: string) =>
      ({ type: 'probe.silent', probe: `${region}-1`, region, since: 1 }) as const;
    w.feed.push(silent('eu'));
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('the incident alone', () => w.discord.messages.length === 1 && w.smtp.mails.length === 1);
    expect(w.discord.messages[0]?.embeds[0]?.title).toBe('Dev RPC is down');
    w.feed.push(silent('us'));
    await until('blindness told', () => w.discord.messages.length === 2 && w.smtp.mails.length === 2);
    expect(w.discord.messages[1]?.embeds[0]?.title).toBe('Too few regions are heard');
    expect(w.smtp.mails[1]?.text).toContain('1 of 3 regions heard, 2 needed');
    w.feed.push({ type: 'probe.heard', probe: 'us-1', region: 'us' });
    await until('return told', () => w.discord.messages.length === 3 && w.smtp.mails.length === 3);
    expect(w.discord.messages[2]?.embeds[0]?.title).toBe('Resolved: Too few regions are heard');
  });
});

describe('an alarm of the collector', () => {
  const alarm = {
    key: 'contradiction eu-1 7',
    title: 'Probe eu-1 signed two batches under one number',
    because: 'epoch 7, number 3',
    remedy: 'revoke the key',
  };

  it('is told on both channels with what to do, once, edited when it is taken up, and told as over', async () => {
    await using w = await world();
    await w.start();
    await began(w);
    w.feed.push({ type: 'alarm.raised', alarm });
    await until('told', () => w.discord.messages.length === 1 && w.smtp.mails.length === 1);
    const [shown] = w.discord.messages[0]?.embeds ?? [];
    expect(shown?.title).toBe(alarm.title);
    expect(shown?.description).toContain('revoke the key');
    expect(JSON.stringify(w.discord.messages)).not.toContain('/incidents/');
    expect(w.smtp.mails[0]?.text).toContain('Because: epoch 7, number 3');
    expect(w.smtp.mails[0]?.text).toContain('What to do: revoke the key');
    w.feed.push({ type: 'alert.acknowledged', incidentId: 'alarm-contradiction-eu-1-7', by: 'ana' });
    await until(
      'the edit',
      () => w.discord.edits.at(-1)?.embeds[0]?.description?.includes('by ana') ?? false,
    );
    w.feed.push({ type: 'alarm.cleared', key: alarm.key });
    await until('over', () => w.discord.messages.length === 2 && w.smtp.mails.length === 2);
    expect(w.discord.messages[1]?.embeds[0]?.title).toBe(`Resolved: ${alarm.title}`);
    // One that is not known to be open says nothing.
    w.feed.push({ type: 'alarm.cleared', key: alarm.key }, { type: 'alarm.cleared', key: 'other' });
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('the incident', () => w.discord.messages.length === 3 && w.smtp.mails.length === 3);
  });

  it('that is open at the first start is told; begun again after a restore, what is gone is told as over', async () => {
    await using w = await world();
    const acknowledged = { by: 'ana', at: 6 };
    w.feed.setAlarms([
      { ...alarm, id: 'alarm-contradiction-eu-1-7', since: 5 },
      { ...alarm, key: 'log', id: 'alarm-log', title: 'Nothing is signed', since: 5, acknowledged },
    ]);
    w.feed.push({ type: 'incident.opened', incident: incidentOf('gone') });
    w.feed.setOpen([incidentOf('gone', { title: 'Gone' })]);
    const first = await w.start();
    await until('told', () => w.discord.messages.length === 3 && w.smtp.mails.length === 3);
    await first.end();
    w.feed.events.length = 0;
    w.feed.setOpen([]);
    await w.start();
    await until('over', () => w.discord.messages.length === 4 && w.smtp.mails.length === 4);
    expect(w.discord.messages[3]?.embeds[0]?.title).toBe('Resolved: Gone');
    expect(w.smtp.mails[3]?.text).toContain('restored from a backup');
  });
});

describe('starts', () => {
  it('the first one ever tells what is open and not what is history', async () => {
    await using w = await world();
    const old = incidentOf('old');
    const open = incidentOf('open');
    w.feed.push(
      { type: 'incident.opened', incident: old },
      { type: 'incident.resolved', incident: resolvedOf(old) },
      { type: 'incident.opened', incident: open },
    );
    w.feed.setOpen([resolvedOf(old), open]);
    await w.start();
    await until('told', () => w.discord.messages.length === 1 && w.smtp.mails.length === 1);
    w.feed.push({ type: 'incident.resolved', incident: resolvedOf(open) });
    await until('recovery', () => w.discord.messages.length === 2);
    expect(JSON.stringify(w.discord.messages)).not.toContain('incidents/old');
  });

  it('a later one goes on where the cursor stands and tells nothing twice', async () => {
    await using w = await world();
    const first = await w.start();
    await began(w);
    const incident = incidentOf('inc-1');
    w.feed.push({ type: 'incident.opened', incident });
    await until('told', () => w.discord.messages.length === 1 && w.smtp.mails.length === 1);
    await first.end();
    w.feed.push({ type: 'incident.resolved', incident: resolvedOf(incident) });
    await w.start();
    await until('recovery', () => w.discord.messages.length === 2 && w.smtp.mails.length === 2);
    expect(w.smtp.mails[1]?.headers.get('in-reply-to')).toBe(w.smtp.mails[0]?.headers.get('message-id'));
  });

  it('one whose cursor is past the feed begins anew with what is open', async () => {
    await using w = await world();
    const first = await w.start();
    await began(w);
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('told', () => w.discord.messages.length === 1);
    await first.end();
    w.feed.events.length = 0;
    w.feed.setOpen([incidentOf('inc-2')]);
    await w.start();
    await until('the other one told', () => w.discord.messages.length === 2);
    expect(w.logged()).toContain('feed.rewound');
  });

  it('one whose feed is of another history begins anew, though its numbers have passed the cursor', async () => {
    await using w = await world();
    const first = await w.start();
    await began(w);
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('told', () => w.discord.messages.length === 1);
    await first.end();
    w.feed.setHistory('restored');
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-3') });
    w.feed.push({ type: 'incident.resolved', incident: resolvedOf(incidentOf('inc-3')) });
    w.feed.setOpen([incidentOf('inc-1'), incidentOf('inc-2')]);
    await w.start();
    await until('the other one told', () => w.discord.messages.length === 2 && w.smtp.mails.length === 2);
    expect(w.logged()).toContain('feed.rewound');
    expect(JSON.stringify(w.discord.messages)).toContain('inc-2');
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-4') });
    await until('it goes on', () => w.discord.messages.length === 3);
    expect(w.logged().match(/feed\.rewound/g)).toHaveLength(1);
  });

  it('a second process on the same data is refused', async () => {
    await using w = await world();
    await w.start();
    await expect(w.start()).rejects.toThrow(/in use by another alerts process/);
  });

  it('a port in use is an error that names the flag', async () => {
    await using w = await world();
    await using other = await world();
    const { url } = await w.start();
    await expect(other.start({ port: Number(new URL(url).port) })).rejects.toThrow(/--port/);
  });

  it('bound wider than loopback it wants a token, and asks for it', async () => {
    await using w = await world();
    await expect(w.start({ host: '0.0.0.0' })).rejects.toThrow(/token/);
    const { url } = await w.start({ host: '0.0.0.0', token: 'bearer-canary' });
    const local = url.replace('0.0.0.0', '127.0.0.1');
    expect((await fetch(`${local}/v1/alerts`)).status).toBe(401);
    expect((await fetch(`${local}/healthz`)).status).toBe(200);
    const headers = { authorization: 'Bearer bearer-canary' };
    expect((await fetch(`${local}/v1/alerts`, { headers })).status).toBe(200);
  });
});

describe('a channel that does not work', () => {
  it('does not delay the other one', async () => {
    await using w = await world();
    await w.start();
    await began(w);
    w.discord.fail({ kind: 'hang' });
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('the mail', () => w.smtp.mails.length === 1, 2_000);
    expect(w.discord.messages).toEqual([]);
  });

  it('(deleted webhook) is told on the other one, and left alone from then on', async () => {
    await using w = await world([{ match: {}, steps: [{ afterMs: 0, notify: ['ops'] }] }]);
    w.discord.deleteWebhook();
    const { url } = await w.start();
    await began(w);
    const incident = incidentOf('inc-1');
    w.feed.push({ type: 'incident.opened', incident });
    await until('passed on', () => w.smtp.mails.length === 1);
    expect(w.smtp.mails[0]?.text).toContain('it could not be delivered on ops: Discord refuses the webhook');
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-2') });
    w.feed.push({ type: 'incident.resolved', incident: resolvedOf(incident) });
    await until('recovery and the second one passed on', () => w.smtp.mails.length === 3);
    expect(w.discord.requests).toHaveLength(1);
    const { channels } = alertList.parse(await (await fetch(`${url}/v1/alerts`)).json());
    expect(channels.find(({ id }) => id === 'ops')?.closed).toContain('Discord refuses the webhook');
  });

  it('(secret missing) names the variable and is told on the other one', async () => {
    await using w = await world([{ match: {}, steps: [{ afterMs: 0, notify: ['ops'] }] }]);
    await w.start({ secretEnv: { SMTP: w.env.SMTP } });
    await began(w);
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('passed on', () => w.smtp.mails.length === 1);
    expect(w.smtp.mails[0]?.text).toContain('environment variable HOOK is not set');
  });

  it('(the only one) keeps its messages, and sends them after a restart', async () => {
    await using w = await world([{ match: {}, steps: [{ afterMs: 0, notify: ['ops'] }] }]);
    const only = {
      ...w.config,
      alerts: { ...w.config.alerts, channels: w.config.alerts.channels.slice(0, 1) },
    };
    const first = await w.start({ config: only, secretEnv: {} });
    await began(w);
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('held', () => w.logged().includes('alert.held'));
    await first.end();
    await w.start({ config: only });
    await until('sent', () => w.discord.messages.length === 1);
  });

  it('(rate limit) is obeyed, in the header and in the body, and nothing is lost', async () => {
    await using w = await world();
    await w.start();
    await began(w);
    const body = JSON.stringify({ message: 'You are being rate limited.', retry_after: 1.2, global: false });
    w.discord.fail({ kind: 'answer', status: 429, body });
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('told', () => w.discord.messages.length === 1);
    const [refused, accepted] = w.discord.requests;
    expect((accepted?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1_200);
    expect(w.discord.requests).toHaveLength(2);
  });
});

describe('secrets', () => {
  it('are in no log, metric, answer or error, whatever goes wrong', async () => {
    await using w = await world();
    const { url } = await w.start({ token: 'bearer-canary' });
    await began(w);
    w.discord.fail(
      { kind: 'answer', status: 500 },
      { kind: 'dropped' },
      {
        kind: 'answer',
        status: 400,
        body: JSON.stringify({ code: 50035, message: `bad ${w.discord.webhookUrl}` }),
      },
    );
    w.smtp.refuse({ stage: 'auth', code: 454, message: `temporary: ${w.smtp.url} smtp-canary-pässword` });
    w.smtp.refuse({ stage: 'data', code: 550, message: 'no: smtp-canary-pässword' });
    w.feed.push({ type: 'incident.opened', incident: incidentOf('inc-1') });
    await until('both have given up', () => (w.logged().match(/alert\.dead/g) ?? []).length >= 2, 15_000);
    const answers = await Promise.all(
      ['/metrics', '/v1/alerts', '/healthz'].map(async (path) => (await fetch(url + path)).text()),
    );
    expect(answers[0]).toContain(
      'highwater_notifications_total{channel="ops",reason="first",result="retry"} 2',
    );
    const everything = [w.logged(), ...answers, JSON.stringify(w.discord.messages), w.smtp.mails.map((m) => m.raw)].join('\n'); // prettier-ignore
    for (const canary of [
      w.discord.token,
      'smtp-canary',
      encodeURIComponent('smtp-canary-pässword'),
      'bearer-canary',
    ]) {
      expect(everything).not.toContain(canary);
    }
  }, 20_000);

  it('a test message goes to one channel, and its failure shows no secret', async () => {
    await using w = await world();
    expect(await sendTest('ops', w.config, w.env)).toMatchObject({ result: 'delivered' });
    expect(await sendTest('mail', w.config, w.env)).toMatchObject({ result: 'delivered' });
    expect(w.discord.messages[0]?.embeds[0]?.title).toBe('Test of the channel ops');
    w.discord.deleteWebhook();
    const failed = await sendTest('ops', w.config, w.env);
    expect(failed).toMatchObject({ result: 'permanent', scope: 'channel' });
    expect(JSON.stringify(failed)).not.toContain(w.discord.token);
    await expect(sendTest('nobody', w.config, w.env)).rejects.toThrow('there are: ops, mail');
  });
});
