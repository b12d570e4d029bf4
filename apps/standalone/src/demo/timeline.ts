/** An event of a run as the REST interface gives it, as far as the timeline reads it. */
export interface TimelineEvent {
  readonly position: string;
  readonly task: string;
  readonly type: string;
  readonly recordedAt: string;
  readonly data: {
    readonly transition?: string;
    readonly attempt?: number;
    readonly answer?: string;
    readonly to?: string;
    readonly signal?: string;
    readonly error?: { readonly code: string; readonly message: string };
    readonly starts?: { readonly task: string };
    readonly tasks?: readonly unknown[];
  };
}

const WORDS: Readonly<Record<string, (event: TimelineEvent) => string>> = {
  RunRequested: () => 'run requested',
  RunPlanned: ({ data }) => `planned: ${data.tasks?.length ?? 0} steps`,
  RunCompleted: () => 'run succeeded',
  RunAdmitted: () => 'its turn in the lane has come',
  RunRetried: () => 'run goes on',
  RunRollbackStarted: ({ data }) => `run failed: ${data.error?.message ?? ''}; ${data.tasks?.length ?? 0} finished steps are undone`,
  RunRolledBack: () => 'run rolled back',
  TaskUndoTransitioned: ({ task, data }) => `${task}: undo ${data.to ?? ''}`,
  SignalReceived: ({ data }) => `signal ${data.signal ?? ''} arrived`,
  RunFailed: ({ data }) => `run failed: ${data.error?.message ?? ''}`,
  EffectVerified: ({ task, data }) => `${task}: asked whether it took effect before: ${data.answer === 'applied' ? 'YES, so it is not done again' : (data.answer ?? '')}`,
};

const TRANSITIONS: Readonly<Record<string, (event: TimelineEvent) => string>> = {
  begin: ({ task, data }) => `${task}: started${(data.attempt ?? 1) > 1 ? ` (attempt ${data.attempt})` : ''}`,
  complete: ({ task, data }) => `${task}: completed${data.starts === undefined ? '' : `, ${data.starts.task} started`}`,
  fail: ({ task, data }) => `${task}: FAILED (${data.error?.code}: ${data.error?.message})`,
  wait: ({ task }) => `${task}: waits`,
  escalate: ({ task, data }) => `${task}: ESCALATED to a person (${data.error?.code})`,
  resolve: ({ task }) => `${task}: a person resolved it`,
  skip: ({ task }) => `${task}: skipped`,
  cancel: ({ task }) => `${task}: canceled`,
  timeOut: ({ task }) => `${task}: timed out`,
  retry: ({ task }) => `${task}: is tried again`,
};

/** One line for people, or nothing for events that need no word. */
export const timelineLine = (event: TimelineEvent, startedAt: number): string | undefined => {
  const words = event.type === 'TaskTransitioned' ? TRANSITIONS[event.data.transition ?? ''] : WORDS[event.type];
  if (words === undefined) return undefined;
  return `  ${elapsed(Date.parse(event.recordedAt) - startedAt)}  #${event.position.padStart(3)}  ${words(event)}`;
};

export const elapsed = (ms: number): string => `${(Math.max(0, ms) / 1000).toFixed(2).padStart(6)} s`;
