import { openEvent, type RecordedEvent } from '@foldwork/events';

const LIVE = 'live';

/** Which workflows a signal starts: those whose live definition declares a trigger of that name. Folded from publications. */
export class TriggerBook {
  private readonly byWorkflow = new Map<string, { readonly namespace: string; readonly workflow: string; readonly signals: readonly string[] }>();

  /** Takes in an event of the log; only publications matter. */
  fold(recorded: RecordedEvent): void {
    if (recorded.type !== 'WorkflowPublished') return;
    const event = openEvent(recorded);
    if (event.type !== 'WorkflowPublished' || !event.data.labels.includes(LIVE)) return;
    const { workflow, triggers = [] } = event.data;
    this.byWorkflow.set(`${recorded.namespace}\n${workflow}`, { namespace: recorded.namespace, workflow, signals: triggers });
  }

  startedBy(namespace: string, signal: string): string[] {
    return [...this.byWorkflow.values()].filter((each) => each.namespace === namespace && each.signals.includes(signal)).map(({ workflow }) => workflow);
  }
}
