/** There is no report to be made; the message says why. */
export class NoReport extends Error {
  override name = 'NoReport';
}
