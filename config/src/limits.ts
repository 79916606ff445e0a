/** How many of each a config may hold; past them one collector is the wrong shape anyway. */
export const limits = {
  regions: 32,
  probes: 64,
  chains: 100,
  controls: 16,
  services: 1_000,
  nodes: 200,
  checks: 50,
  monitors: 10_000,
  channels: 100,
  policies: 100,
  steps: 10,
  headers: 20,
  references: 20,
  // Every verifier of a note takes 16 signatures (C2SP signed-note): the log's own and these.
  witnesses: 15,
} as const;
