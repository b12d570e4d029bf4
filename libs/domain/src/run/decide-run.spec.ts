import { begun, completed, eventOf, failed, given, moved, ofRun, planned, requested, t } from '@foldwork/testing';
import type { TaskStatus } from '@foldwork/events/contracts';
import { definitionHash } from '../definition/definition-hash';
import { compileDefinition } from '../plan/compile-definition';
import { parseDefinition } from '../task-types/built-in-language';
import { nextStatus, TASK_STATUSES } from '../task/task-machine';
import { Emission } from './emission';

const compiled = (yaml: string) => {
  const { definition, diagnostics } = parseDefinition(yaml);
  if (definition === undefined) throw new Error(JSON.stringify(diagnostics));
  return compileDefinition(definition, definitionHash(definition));
};
const ids = ['validate', 'map', 'upload_image', 'create', 'save'];
const job = compiled(`workflow: job\ntasks:\n${ids.map((id) => `  - { id: ${id}, type: basic, action: ${id}${id === 'upload_image' ? ', effect: once, verify: { action: find, found: result.found }' : ''} }`).join('\n')}`);
const base = [requested(job), planned(...ids)];

describe('deciding a run of ordered tasks', () => {
  it('[S0-01] [S1-01] plans the tasks in the order of the definition, all of them pending', () => {
    given(requested(job)).whenDecided(job, t(0)).then(eventOf('RunPlanned', '', { tasks: ids.map((id) => ({ id, type: 'basic' })) }));
    const run = given(...base).run();
    expect(run.rootTasks.map((id, index) => [id, index + 1])).toEqual([['validate', 1], ['map', 2], ['upload_image', 3], ['create', 4], ['save', 5]]);
    expect([...run.tasks.values()].map(({ status }) => status)).toEqual(Array(5).fill('pending'));
  });

  it('hands all of them out as one segment', () => given(...base).whenDecided(job, t(0)).thenRuns(ids.join()));

  it('[S1-04] skips completed tasks on retry: only the failed one and those behind it run', () => {
    const failedRun = [...base, begun('validate'), completed('validate', { starts: { task: 'map' as never, attempt: 1 } }), completed('map', { starts: { task: 'upload_image' as never, attempt: 1 } }),
      failed('upload_image', { at: t(5) }), ofRun({ type: 'RunFailed', data: { error: { code: 'NO', message: 'no' }, task: 'upload_image' as never, at: t(5) } })];
    const retried = given(...failedRun).whenCommanded({ kind: 'retry' }, t(9));
    retried.then(eventOf('RunRetried', '', { tasks: ['upload_image'] as never }), eventOf('TaskTransitioned', 'upload_image', { transition: 'retry', from: 'failed', to: 'pending' }));
    given(...failedRun, ofRun({ type: 'RunRetried', data: { attempt: 2, automatic: false, tasks: [], at: t(9) } }), moved('upload_image', { transition: 'retry', from: 'failed', to: 'pending', renewed: true }))
      .whenDecided(job, t(10)).thenRuns('upload_image,create,save');
  });

  it('[S2-04] [S2-07] a retry clears executor and completion; assign, start and complete keep the executor', () => {
    const happy = given(...base, moved('validate', { transition: 'assign', from: 'pending', to: 'assigned', executor: 'w#1' }), moved('validate', { transition: 'start', from: 'assigned', to: 'in_progress' }),
      moved('validate', { transition: 'complete', from: 'in_progress', to: 'completed', at: t(7), output: 1 })).run().tasks.get('validate' as never);
    expect(happy).toMatchObject({ status: 'completed', executor: 'w#1', endedAt: t(7) });
    const again = given(...base, begun('validate'), failed('validate', { at: t(5) }), moved('validate', { transition: 'retry', from: 'failed', to: 'pending' })).run().tasks.get('validate' as never);
    expect(again?.status).toBe('pending');
    expect([again?.executor, again?.endedAt, again?.error]).toEqual([undefined, undefined, undefined]);
  });

  it('[S2-03] fail and escalate work from assigned and from in_progress and nowhere else; the reason stands in the log', () => {
    for (const transition of ['fail', 'escalate'] as const) {
      expect(TASK_STATUSES.filter((status) => status !== 'waiting' && nextStatus(status, transition) !== undefined)).toEqual(['assigned', 'in_progress']);
      for (const from of ['assigned', 'in_progress'] as const) {
        const run = given(...base, moved('validate', { transition: 'assign', from: 'pending', to: 'assigned', executor: 'w#1' }),
          ...(from === 'in_progress' ? [moved('validate', { transition: 'start', from: 'assigned', to: 'in_progress' })] : [])).run();
        const emission = new Emission(run, t(5), { actor: 'test' }, false);
        emission.transition('validate' as never, transition, { error: { code: 'OUT_OF_PAPER', message: 'the printer has no paper' } });
        expect(emission.events.map(({ data }) => data).join()).toContain('the printer has no paper');
        expect(run.tasks.get('validate' as never)).toMatchObject({ status: transition === 'fail' ? 'failed' : 'escalated', error: { code: 'OUT_OF_PAPER' } });
      }
      const pending = new Emission(given(...base).run(), t(5), { actor: 'test' }, false);
      expect(() => pending.transition('validate' as never, transition)).toThrow('TRANSITION_NOT_ALLOWED');
      expect(pending.events).toEqual([]);
    }
  });

  it('[S2-02] assign stores the executor, start keeps it, complete sets the end', () => {
    const assign = moved('validate', { transition: 'assign', from: 'pending', to: 'assigned', executor: 'w#1' });
    const start = moved('validate', { transition: 'start', from: 'assigned', to: 'in_progress' });
    expect(given(...base, assign).run().tasks.get('validate' as never)).toMatchObject({ status: 'assigned', executor: 'w#1' });
    expect(given(...base, assign, start).run().tasks.get('validate' as never)).toMatchObject({ status: 'in_progress', executor: 'w#1' });
    expect(given(...base, assign, start, completed('validate', { at: t(3), executor: 'w#1' })).run().tasks.get('validate' as never)).toMatchObject({ status: 'completed', executor: 'w#1', endedAt: t(3) });
  });

  it('[S2-06] after the attempts are used up a failed task is not tried again, unless a person asks', () => {
    const one = compiled('workflow: one\ntasks:\n  - { id: a, type: basic, action: a, retry: { maximumAttempts: 1 } }');
    const events = [requested(one), planned('a'), begun('a'), failed('a', { at: t(1) })];
    given(...events).whenDecided(one, t(60_000)).then(eventOf('RunFailed', '', { task: 'a' as never }));
    given(...events, ofRun({ type: 'RunFailed', data: { error: { code: 'NO', message: 'no' }, task: 'a' as never, at: t(2) } })).whenCommanded({ kind: 'retry' }, t(3))
      .then(eventOf('RunRetried', ''), eventOf('TaskTransitioned', 'a', { transition: 'retry' }));
  });

  it('[S2-05] a refused transition changes nothing', () => {
    for (const status of TASK_STATUSES) {
      const run = given(...base).run();
      const task = run.tasks.get('validate' as never);
      if (task === undefined) throw new Error('planned above');
      task.status = status;
      const emission = new Emission(run, t(1), { actor: 'test' }, false);
      for (const transition of ['assign', 'start', 'complete', 'fail', 'escalate', 'retry'] as const) {
        if (nextStatus(status, transition) !== undefined) continue;
        expect(() => emission.transition('validate' as never, transition)).toThrow('TRANSITION_NOT_ALLOWED');
      }
      expect([task.status, task.version, emission.events.length]).toEqual([status, 0, 0]);
    }
  });

  it.each(TASK_STATUSES.filter((status) => ['pending', 'assigned', 'in_progress', 'completed', 'failed', 'escalated'].includes(status)))('[S2-01] a task whose record says %s is in that state', (status: TaskStatus) => {
    const way: Partial<Record<TaskStatus, ReturnType<typeof moved>[]>> = {
      pending: [], assigned: [moved('validate', { transition: 'assign', from: 'pending', to: 'assigned', executor: 'w#1' })], in_progress: [begun('validate')],
      completed: [begun('validate'), completed('validate')], failed: [begun('validate'), failed('validate')],
      escalated: [begun('validate'), moved('validate', { transition: 'escalate', from: 'in_progress', to: 'escalated', error: { code: 'X', message: 'why' } })],
    };
    expect(given(...base, ...(way[status] ?? [])).run().tasks.get('validate' as never)?.status).toBe(status);
  });

  it('[S1-03] a result and both times are kept', () => {
    const task = given(...base, begun('validate', { at: t(1) }), completed('validate', { at: t(3), output: { uploaded_id: 'vinted_123' } })).run().tasks.get('validate' as never);
    expect(task).toMatchObject({ output: { uploaded_id: 'vinted_123' }, startedAt: t(1), endedAt: t(3) });
  });

  it('what side effects a handler recorded goes along with the next attempt, which asks verify first', () => {
    const events = [...base, begun('validate'), completed('validate', { starts: { task: 'map' as never, attempt: 1 } }), completed('map', { starts: { task: 'upload_image' as never, attempt: 1 } }),
      { task: 'upload_image', event: { type: 'SideEffectRecorded', data: { attempt: 1, effect: { image_id: '123' }, at: t(4) } } } as const];
    const lost = given(...events).whenDecided(job, t(10), { isLost: () => true });
    lost.then(eventOf('TaskTransitioned', 'upload_image', { transition: 'fail' }));
    expect(lost.decision.wakeAt).toBe(t(10) + 2_000);
    const later = given(...events, failed('upload_image', { at: t(10), error: { code: 'LEASE_LOST', message: 'gone' } })).whenDecided(job, t(12_010));
    expect(later.decision.segments[0]?.[0]).toMatchObject({ path: 'upload_image', attempt: 2, verify: 'first', sideEffects: { image_id: '123' } });
  });

  it('refuses what cannot be: retry of a running run, a step that is not in the plan, cancel of an ended one', () => {
    given(...base).whenCommanded({ kind: 'retry' }, t(1)).thenRefused('retry_not_allowed');
    const failedRun = [...base, begun('validate'), failed('validate'), ofRun({ type: 'RunFailed', data: { error: { code: 'NO', message: 'no' }, task: 'validate' as never, at: t(2) } })];
    given(...failedRun).whenCommanded({ kind: 'retry', resumeFromStep: 'nothing' }, t(3)).thenRefused('invalid_resume_step');
    given(...failedRun).whenCommanded({ kind: 'cancel' }, t(3)).thenRefused('cancel_not_allowed');
  });
});
