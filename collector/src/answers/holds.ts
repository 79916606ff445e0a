/** What can be promised with so many regions that have a probe, in a sentence (ARCHITECTURE, what must always hold). */
export function holdsWith(regions: number): string {
  if (regions === 0) return 'No region has a probe yet: nothing is known.';
  if (regions === 1) {
    return 'One region watches: what it alone sees decides, so trouble on its own way there can look like an outage.';
  }
  if (regions === 2) {
    return 'Two regions watch and both must agree: neither alone can raise an outage, but one that is silent leaves everything unknown.';
  }
  const needed = Math.floor(regions / 2) + 1;
  return `${regions} regions watch and ${needed} must agree: no single region can raise an outage or hide one.`;
}
