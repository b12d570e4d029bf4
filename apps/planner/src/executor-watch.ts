import type { Member, Membership, RecordedEvent } from '@foldwork/events';

/** Longer than any planner needs to see a lease end and to look at what its holder had in hand. */
const FORGET_AFTER_MS = 3_600_000;

const CLAIMING: ReadonlySet<string> = new Set<RecordedEvent['type']>(['TaskTransitioned', 'TaskUndoTransitioned']);
/** By its text, since most events are never parsed here. Names of executors need no escaping. */
const EXECUTOR = /"executor":"([^"]+)"/;

/**
 * Knows which executors can no longer hold an attempt: the lease ran out, or the name came back with a higher
 * incarnation. One it has never heard of is newer than what it knows, so not lost.
 * Once an hour it clears away those that were gone for all of it: names that change with every start (host names of
 * containers) would pile up.
 */
export class ExecutorWatch {
  private members = new Map<string, Member>();
  private losses = 0;
  private knowsLosses = false;
  private clearedAt: number;

  constructor(private readonly membership: Membership, private readonly monotonicMs: () => number = () => performance.now()) {
    this.clearedAt = monotonicMs();
  }

  /** `name#incarnation`. */
  readonly isLost = (executor: string): boolean => {
    const separator = executor.lastIndexOf('#');
    const member = this.members.get(executor.slice(0, separator));
    if (member === undefined) return false;
    const incarnation = Number(executor.slice(separator + 1));
    return incarnation < member.incarnation || (incarnation === member.incarnation && !member.alive);
  };

  /**
   * Appended by an executor that can no longer hold what it claims there, be it by the outcome of the task before or for an
   * undo: it came into the log, or we read of it, only after the loss was noticed.
   */
  readonly isByLost = ({ type, data }: RecordedEvent): boolean => {
    if (!this.knowsLosses || !CLAIMING.has(type)) return false;
    const executor = EXECUTOR.exec(data)?.[1];
    return executor !== undefined && this.isLost(executor);
  };

  /** Reads the memberships; returns how many losses were noticed so far. */
  async refresh(): Promise<number> {
    const members = new Map((await this.membership.list()).map((member) => [member.name, member]));
    if ([...members.values()].some((member) => isNews(this.members.get(member.name), member))) this.losses += 1;
    this.members = members;
    this.knowsLosses = [...members.values()].some((member) => isNews(undefined, member));
    await this.clearAway();
    return this.losses;
  }

  private async clearAway(): Promise<void> {
    const now = this.monotonicMs();
    if (now - this.clearedAt < FORGET_AFTER_MS) return;
    this.clearedAt = now;
    await this.membership.forget(FORGET_AFTER_MS);
  }
}

const isNews = (before: Member | undefined, after: Member): boolean =>
  before === undefined ? after.incarnation > 1 || !after.alive : after.incarnation > before.incarnation || (before.alive && !after.alive);
