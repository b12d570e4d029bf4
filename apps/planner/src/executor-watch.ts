import type { Member, Membership } from '@foldwork/events';

/**
 * Knows which executors can no longer hold an attempt: the lease ran out, or the name came back with a higher
 * incarnation. One it has never heard of is newer than what it knows, so not lost.
 */
export class ExecutorWatch {
  private members = new Map<string, Member>();
  private losses = 0;

  constructor(private readonly membership: Membership) {}

  /** `name#incarnation`. */
  readonly isLost = (executor: string): boolean => {
    const separator = executor.lastIndexOf('#');
    const member = this.members.get(executor.slice(0, separator));
    if (member === undefined) return false;
    const incarnation = Number(executor.slice(separator + 1));
    return incarnation < member.incarnation || (incarnation === member.incarnation && !member.alive);
  };

  /** Reads the memberships; returns how many losses were noticed so far. */
  async refresh(): Promise<number> {
    const members = new Map((await this.membership.list()).map((member) => [member.name, member]));
    if ([...members.values()].some((member) => isNews(this.members.get(member.name), member))) this.losses += 1;
    this.members = members;
    return this.losses;
  }
}

const isNews = (before: Member | undefined, after: Member): boolean =>
  before === undefined ? after.incarnation > 1 || !after.alive : after.incarnation > before.incarnation || (before.alive && !after.alive);
