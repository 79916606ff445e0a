/** Why a backup or a restore was not done, and what a person does about it. Nothing was lost by it. */
export class BackupProblem extends Error {
  override name = 'BackupProblem';
  readonly remedy: string;
  /** `usage`: asked for what cannot be; `no`: what was found speaks against it. */
  readonly kind: 'usage' | 'no';
  constructor(kind: 'usage' | 'no', says: string, remedy: string, options?: ErrorOptions) {
    super(says, options);
    this.kind = kind;
    this.remedy = remedy;
  }
}
