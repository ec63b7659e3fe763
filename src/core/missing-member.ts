/** Thrown by a rule about logins for an account whose profile lacks a member that the rule reads. */
export class MissingMember extends Error {
  override readonly name = 'MissingMember';
  /** As the rule names it. */
  readonly member: string;

  constructor(member: string) {
    super(`the profile has no member ${member}`);
    this.member = member;
  }
}
