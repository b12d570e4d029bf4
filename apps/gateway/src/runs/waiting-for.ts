import { isOpenRun, taskAt, type CompiledDefinition, type RunState, type TaskState, type WaitTask } from '@foldwork/domain';
import { iso as shown } from './run-summary';

/**
 * One sentence: which task, on what, since when, and who can move it. Absent for a run that waits for nothing any more.
 * The definition may be missing (not readable right now); then the sentence knows less. Pure.
 */
export const waitingFor = (run: RunState, definition?: CompiledDefinition): string | undefined => {
  if (run.status === 'failed' || run.status === 'escalated') return afterFailure(run);
  if (run.status === 'rolling_back') return `The run is being rolled back after ${run.error?.message ?? 'a failure'}; the executors undo its finished tasks.`;
  return isOpenRun(run) ? whileOpen(run, definition) : undefined;
};

const whileOpen = (run: RunState, definition: CompiledDefinition | undefined): string => {
  if (run.cancel !== undefined) return 'The run is being canceled; the planner stops what is still active.';
  if (run.paused) return 'The run is paused; an operator can resume it.';
  if (!run.admitted) return laneSentence(run);
  if (!run.planned) return `The run has waited since ${iso(run.request.at)} to be planned; a planner does that by itself.`;
  return activeSentence(run, definition);
};

const iso = (ms: number | undefined): string => shown(ms) ?? 'an unknown time';

const laneSentence = ({ request }: RunState): string =>
  `The run has waited since ${iso(request.at)} for its turn in lane "${request.lane?.key ?? ''}" (at most ${request.lane?.limit ?? 1} at a time); it begins when an earlier run of the lane ends.`;

const afterFailure = (run: RunState): string => {
  const what = run.failedTask === undefined ? 'The run' : `Task ${run.failedTask}`;
  const why = run.error === undefined ? '' : ` (${run.error.code}: ${run.error.message})`;
  if (run.status === 'escalated') return `${what} has waited since ${iso(run.endedAt)} for a person${why}; an approver can resolve it.`;
  if (run.retryAt === undefined) return `${what} failed at ${iso(run.endedAt)}${why}; an operator can retry the run.`;
  return `${what} failed at ${iso(run.endedAt)}${why}; the run is retried by itself at ${iso(run.retryAt)}, an operator can retry it at once.`;
};

const activeSentence = (run: RunState, definition: CompiledDefinition | undefined): string => {
  const tasks = [...run.tasks.values()];
  const waiting = tasks.find(({ status }) => status === 'waiting');
  if (waiting !== undefined) return waitSentence(waiting, definition);
  const active = tasks.find(({ status, children }) => (status === 'in_progress' || status === 'assigned') && children === undefined);
  if (active !== undefined) return `Task ${active.path} has been with ${executorOf(active)} since ${iso(active.startedAt)} (attempt ${active.attempt}); its result moves the run on.`;
  const failed = tasks.find(({ status }) => status === 'failed' || status === 'timed_out');
  if (failed !== undefined) return `Task ${failed.path} failed at ${iso(failed.endedAt)} (${failed.error?.message ?? 'no reason given'}) and waits for its next attempt, which begins by itself.`;
  const next = tasks.find(({ status }) => status === 'pending');
  return next === undefined ? 'The planner is about to end the run.' : `Task ${next.path} waits for an executor to take it.`;
};

const executorOf = ({ executor }: TaskState): string => (executor === undefined ? 'the engine' : `executor ${executor.split('#')[0] ?? executor}`);

const waitSentence = (task: TaskState, definition: CompiledDefinition | undefined): string => {
  const until = task.until === undefined ? '' : ` until ${iso(task.until)}`;
  return `Task ${task.path} has waited since ${iso(task.startedAt)} for ${awaited(task, definition)}${until}.`;
};

const awaited = (task: TaskState, definition: CompiledDefinition | undefined): string => {
  const spec = definition && taskAt(definition, task.path).spec;
  if (spec === undefined) return 'a signal or a time';
  const { waitFor, any, all, approval } = spec as WaitTask; // whatever waits: a type that is no wait has none of these
  if (approval !== undefined) return `an approval ("${approval.title}"), which ${approval.roles.join(' or ')} can give`;
  if (waitFor !== undefined) return `the signal "${waitFor}", which an operator can send,`;
  const signals = (any ?? all ?? []).map(({ signal }) => `"${signal}"`).join(', ');
  return signals === '' ? 'its time to come' : `${any === undefined ? 'all' : 'one'} of the signals ${signals}, which an operator can send,`;
};
