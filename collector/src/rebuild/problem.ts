/** Why views were not made again, and what a person does about it. Nothing was changed. */
export class RebuildProblem extends Error {
  override name = 'RebuildProblem';
  readonly remedy: string;
  constructor(says: string, remedy: string, options?: ErrorOptions) {
    super(says, options);
    this.remedy = remedy;
  }
}
