import type { Member, Membership } from '@foldwork/events';

/**
 * Knows which executors can no longer hold an attempt: the lease ran out, or the name came back with a higher
 * incarnation. One it has never heard of is newer than what it knows, so not lost.
 */
export class ExecutorWatch {
  private members = new Map<string, Member>();

  constructor(private readonly membership: Membership) {}

  /** `name#incarnation`. */
  readonly isLost = (executor: string): boolean => {
    const separator = executor.lastIndexOf('#');
    const member = this.members.get(executor.slice(0, separator));
    if (member === undefined) return false;
    const incarnation = Number(executor.slice(separator + 1));
    return incarnation < member.incarnation || (incarnation === member.incarnation && !member.alive);
  };

  /** Reads the memberships; true when an executor was lost since the last time. */
  async refresh(): Promise<boolean> {
    const members = new Map((await this.membership.list()).map((member) => [member.name, member]));
    const someLost = [...members.values()].some((member) => isNews(this.members.get(member.name), member));
    this.members = members;
    return someLost;
  }
}

const isNews = (before: Member | undefined, after: Member): boolean =>
  before === undefined ? after.incarnation > 1 || !after.alive : after.incarnation > before.incarnation || (before.alive && !after.alive);
