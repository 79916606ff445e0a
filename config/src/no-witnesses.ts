/** What it means to declare no witnesses: the same words at start-up, in `log status` and in the policy file. */
export const noWitnesses =
  'No witness cosigns this log: only its operator vouches that everybody is shown the same history.';
