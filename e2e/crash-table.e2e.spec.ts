import { AGGREGATE, onceTask, RETRY_AT_ONCE, task, workflow } from './harness/definitions';
import { LogAccount } from './harness/log-account';
import type { System } from './harness/system';
import { throughout } from './harness/throughout';
import type { App, CrashPoint, Service } from './harness/service';

/**
 * docs/crash-table.md, row by row: the service is killed with SIGKILL at the point, started again, and the run that was
 * under way ends as if nothing had happened.
 */
interface Row {
  /** As in the table; `a` is before the commit, `b` after it. */
  readonly id: string;
  readonly service: App;
  readonly title: string;
  readonly point: CrashPoint;
}

type When = CrashPoint['when'];

const both = (id: string, service: App, title: string, point: (when: When) => CrashPoint): Row[] => [
  { id: `${id}a`, service, title: `before ${title}`, point: point('before') },
  { id: `${id}b`, service, title: `after ${title}`, point: point('after') },
];

const sql = (match: string) => (when: When): CrashPoint => ({ when, on: 'sql', match });
const bus = (match: string) => (when: When): CrashPoint => ({ when, on: 'bus', match });
/** The columns of an append come in this order: tasks, types, data. */
const append = (content: string, path = '') => sql(`append_events?.*${path}.*${content}`);
const transition = (word: string): string => `"transition":"${word}"`;

const ROWS: readonly Row[] = [
  ...both('G1', 'gateway', 'the definition is stored', sql('INSERT INTO public.definitions')),
  ...both('G2', 'gateway', 'RunRequested is appended', append('RunRequested')),
  ...both('P1', 'planner', 'RunPlanned is appended', append('RunPlanned')),
  ...both('P2', 'planner', 'the step command is on the bus', bus('PUB foldwork\\.steps')),
  ...both('P3', 'planner', "a task's retry is appended", append(transition('retry'))),
  ...both('P4', 'planner', 'RunFailed is appended', append('RunFailed')),
  ...both('P5', 'planner', 'RunRetried is appended', append('RunRetried')),
  ...both('P6', 'planner', 'RunCompleted is appended', append('RunCompleted')),
  ...both('P7', 'planner', 'agenda and position are saved', sql('INSERT INTO public.agenda.*\\[true')),
  ...both('P9', 'planner', 'the command that has the plan is on the bus', bus('PUB foldwork\\.steps.*RunPlanned')),
  ...both('E1', 'executor', 'the first task is claimed', append(transition('begin'))),
  ...both('E2', 'executor', 'the command is acknowledged', bus('\\+ACK')),
  ...both('E3', 'executor', 'an outcome and the next start are appended', append('"starts":\\{"task":"flaky"')),
  ...both('E4', 'executor', 'a failure is appended', append(transition('fail'))),
  ...both('E5', 'executor', 'a side effect is recorded', append('SideEffectRecorded')),
  ...both('E6', 'executor', 'the answer of verify is recorded', append('EffectVerified')),
  ...both('E7', 'executor', 'the last outcome and RunCompleted are appended', append('RunCompleted')),
  ...both('E8', 'executor', 'the plan and the claim of the first task are appended', append('RunPlanned')),
  ...both('A1', 'auditor', 'read models and their checkpoint move', sql('UPDATE public.checkpoints.*read_models')),
  ...both('A2', 'auditor', 'the feed is published', bus('PUB foldwork\\.events')),
  ...both('A3', 'auditor', "the feed's checkpoint moves", sql('UPDATE public.checkpoints.*"feed"')),
];

/** The second task fails once and the third loses its answer, so that every kind of commit takes place. */
const job = ({ id }: Row): object => {
  const runFails = id.startsWith('P4') || id.startsWith('P5');
  return workflow(`crash.${id}`, [
    task('validate'),
    task('flaky', { failFirst: 1 }, { retry: runFails ? { maximumAttempts: 1 } : RETRY_AT_ONCE }),
    onceTask('upload', { dropFirst: 1 }, { action: 'world.recorded', retry: RETRY_AT_ONCE }),
    task('save', id.startsWith('P7') ? { delayMs: 300 } : {}), // the agenda is written for runs that last
    ...(id.startsWith('P6') ? [AGGREGATE] : []), // a run that ends with a basic task is completed by the executor
  ], id.startsWith('P1') ? { timeout: '1h' } : {}); // a plan that nothing but a claim can follow is appended by the executor
};
/** Of the job above: six when nothing is killed, and one in flight at the kill. */
const ATTEMPTS_MAX = 7;

const isDuringTaskThree = ({ id }: Row): boolean => id.startsWith('E5') || id.startsWith('E6');

/** A planner that has to read the definition first appends the plan itself. */
const isOfKnownDefinition = ({ id }: Row): boolean => id.startsWith('P9') || id.startsWith('E8');

/** In an object, since the run of a gateway that died is known only when it is back. */
interface Submitting {
  readonly run: Promise<string>;
}

const TRIES_MAX = 20;

/**
 * Whether a plan goes with its command is a matter of what the planner hears first, the hint or the log; on a busy machine
 * that takes a few runs.
 */
const submitUntilItDies = async (row: Row, service: Service): Promise<Submitting> => {
  const { api } = system;
  for (let tries = 1; ; tries += 1) {
    const run = api.submitPatiently(job(row), `crash-${row.id}-${tries}`);
    if (isOfKnownDefinition(row) && tries < TRIES_MAX) {
      const isOver = run.then((id) => api.succeeded(id)).then(() => true);
      if (await Promise.race([isOver, service.ended.then(() => false)])) continue;
    }
    await service.ends(`at ${row.id}`);
    return { run };
  }
};

let system: System;
throughout({ onceTasks: ['upload'] }, (started) => (system = started));

describe('killed before and after each commit of the execution protocol', () => {
  it.each(ROWS.map((row) => ({ ...row, proves: isDuringTaskThree(row) ? '[S1-12] ' : '' })))('$proves$id: the $service dies $title', async (row) => {
    const { api, world } = system;
    const service = system.service(row.service);
    if (isOfKnownDefinition(row)) await api.succeeded(await api.submit(job(row)));
    await service.crashAt(row.point);
    const submitting = await submitUntilItDies(row, service);
    system.launch(row.service);
    const run = await submitting.run;
    await api.succeeded(run);

    expect(world.effects.filter((effect) => effect.run === run && effect.task === 'upload')).toHaveLength(1);
    const account = await LogAccount.read(system.log);
    expect(account.faults).toEqual([]);
    expect(account.attemptsOf(run).length).toBeLessThanOrEqual(ATTEMPTS_MAX);
    // Nobody but an executor can cut an attempt short, and only the task that it was at.
    if (row.service !== 'executor' || isDuringTaskThree(row)) expect(['validate', 'flaky'].map((path) => account.attemptsOf(run, path).length)).toEqual([1, 2]);
    await system.ready(row.service);
  }, 40_000);
});
