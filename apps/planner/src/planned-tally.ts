/** Tasks that this process has planned since it started, by the rule they follow (`type@version`). */
export class PlannedTally {
  private readonly tasks = new Map<string, number>();

  add(planned: ReadonlyMap<string, number>): void {
    for (const [rule, tasks] of planned) this.tasks.set(rule, (this.tasks.get(rule) ?? 0) + tasks);
  }

  get byRule(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.tasks);
  }
}
