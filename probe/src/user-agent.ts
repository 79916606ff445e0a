/** Who asks, for the people whose logs it stands in: the origin is where the operator's log is published. */
export function userAgent(origin: string | undefined): string {
  return origin === undefined ? 'Highwater/0.1' : `Highwater/0.1 (+https://${origin})`;
}
