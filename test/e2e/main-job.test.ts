import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getJson, until } from './process.ts';
import { componentsOf, services, startWorld, summaryOf, type World } from './world.ts';

/**
 * The main job on real processes: three anvil nodes, three regions, checks every 2 s. The steps build on
 * each other, as an operator's night does.
 */
describe('one node hangs and comes back', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  }, 90_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  it('starts with everything up and nobody told anything', async () => {
    const summary = await summaryOf(world);
    expect(summary.status.indicator).toBe('none');
    expect(summary.incidents).toEqual([]);
    expect(world.discord.messages).toEqual([]);
    expect(world.smtp.mails).toEqual([]);
  });

  it('one silent region changes nothing', async () => {
    world.probes.get('sg')?.signal('SIGSTOP');
    // Two intervals + timeout + 5 s after its last frame the region counts as silent.
    await until('the region is unknown in the votes', 20_000, async () => {
      const { monitors } = await getJson<{ monitors: { votes: { region: string; status: string }[] }[] }>(
        `${world.collector.url}/v1/status`,
      );
      return monitors.every(({ votes }) => votes.find(({ region }) => region === 'sg')?.status === 'unknown');
    });
    const words = await componentsOf(world);
    expect([...words.values()]).toEqual(['operational', 'operational', 'operational']);
    expect((await summaryOf(world)).incidents).toEqual([]);
    world.probes.get('sg')?.signal('SIGCONT');
    await until('the region votes again', 10_000, async () => {
      const { monitors } = await getJson<{ monitors: { votes: { region: string; status: string }[] }[] }>(
        `${world.collector.url}/v1/status`,
      );
      return monitors.every(({ votes }) => votes.find(({ region }) => region === 'sg')?.status === 'up');
    });
    expect(world.discord.messages).toEqual([]);
  }, 60_000);

  it('within 10 s a hung node is a major outage: one incident, one message, one mail', async () => {
    world.nodes['beta']?.signal('SIGSTOP');
    const stoppedAt = performance.now();
    const left = () => Math.max(1, 10_000 - (performance.now() - stoppedAt));
    await until(
      'beta is a major outage',
      left(),
      async () => (await componentsOf(world)).get('beta') === 'major_outage',
    );
    await until('one Discord message', left(), () => world.discord.messages.length > 0);
    await until('one mail', left(), () => world.smtp.mails.length > 0);
    // The page follows the collector within about a second; a mail can be there first.
    await until(
      'the incident is on the page',
      left(),
      async () => (await summaryOf(world)).incidents.length > 0,
    );
    const summary = await summaryOf(world);
    expect(summary.incidents).toHaveLength(1);
    expect(summary.incidents[0]).toMatchObject({ impact: 'major', status: 'investigating' });
    expect(Object.fromEntries(await componentsOf(world))).toEqual({
      alpha: 'operational',
      beta: 'major_outage',
      gamma: 'operational',
    });

    // "No second one": watched for ten seconds by the arrival of anything, not by a sleep.
    await expect(
      until(
        'a second message',
        10_000,
        () => world.discord.messages.length > 1 || world.smtp.mails.length > 1,
      ),
    ).rejects.toThrow('not within');
    expect((await summaryOf(world)).incidents).toHaveLength(1);
    const status = await getJson<{ incidents: { phase: string }[] }>(`${world.collector.url}/v1/status`);
    expect(status.incidents.filter(({ phase }) => phase !== 'resolved')).toHaveLength(1);
  }, 40_000);

  it('recovery closes the incident and follows up in the same threads', async () => {
    world.nodes['beta']?.signal('SIGCONT');
    await until(
      'beta is operational',
      15_000,
      async () => (await componentsOf(world)).get('beta') === 'operational',
    );
    await until('a second mail', 15_000, () => world.smtp.mails.length === 2);
    await until('a message of recovery', 15_000, () => world.discord.messages.length === 2);
    const [first, second] = world.smtp.mails;
    expect(second?.headers.get('in-reply-to')).toBe(first?.headers.get('message-id'));
    expect(second?.headers.get('references')).toContain(first?.headers.get('message-id'));
    expect(world.discord.edits.some(({ id }) => id === world.discord.messages[0]?.id)).toBe(true);
    await until(
      'the incident is closed on the page',
      5_000,
      async () => (await summaryOf(world)).incidents.length === 0,
    );
    const summary = await summaryOf(world);
    expect(summary.status.indicator).toBe('none');
    const { incidents } = await getJson<{ incidents: { status: string; resolved_at: string | null }[] }>(
      `${world.site.url}/api/v2/incidents.json`,
    );
    expect(incidents).toHaveLength(1);
    expect(incidents[0]).toMatchObject({ status: 'resolved' });
    expect(incidents[0]?.resolved_at).not.toBeNull();
    expect(services.length).toBe(3);
  }, 60_000);
});
