/**
 * What can be promised now, in a sentence (ARCHITECTURE, what must always hold).
 * @param regions that have a probe
 * @param heard those of them whose answers count
 */
export function holdsWith(regions: number, heard: number): string {
  if (regions === 0) return 'No region has a probe yet: nothing is known.';
  const needed = Math.floor(regions / 2) + 1;
  if (heard < regions) return holdsMeanwhile(regions, heard, needed);
  if (regions === 1) {
    return 'One region watches: what it alone sees decides, so trouble on its own way there can look like an outage.';
  }
  if (regions === 2) {
    return 'Two regions watch and both must agree: neither alone can raise an outage, but one that is silent leaves everything unknown.';
  }
  return `${regions} regions watch and ${needed} must agree: no single region can raise an outage or hide one.`;
}

/** While not all of them are heard. */
function holdsMeanwhile(regions: number, heard: number, needed: number): string {
  if (heard === 0) return 'No region is heard now: nothing is known.';
  const are = `${heard} of ${regions} regions ${heard === 1 ? 'is' : 'are'} heard`;
  if (heard < needed) return `Only ${are} now and ${needed} must agree: nothing can be known until more are.`;
  if (heard > needed) {
    return `${are} now and ${needed} must agree: no single region can raise an outage or hide one.`;
  }
  const all = needed === 2 ? 'both' : `all ${needed}`;
  return `${are} now: ${all} must agree, so one alone can hide an outage, but none can raise one.`;
}
