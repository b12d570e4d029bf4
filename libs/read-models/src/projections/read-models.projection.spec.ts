import { syntheticRun } from '@foldwork/testing';
import type { NewEvent, RecordedEvent } from '@foldwork/events/contracts';
import { projectReadModels } from './read-models.projection';

const record = (events: readonly NewEvent[]): RecordedEvent[] =>
  events.map((event, index) => ({ ...event, position: index + 1, recordedAt: 0, hash: '' }));
const eventsOf = (...options: Parameters<typeof syntheticRun>): RecordedEvent[] => record(syntheticRun(...options).appends.flat());

describe('projecting runs', () => {
  it('folds a whole run into one change with its counts, times and ending', () => {
    const events = eventsOf({ steps: 4, at: 1_000_000, input: { shop: 7 } });
    const { runs } = projectReadModels(events);
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({
      birth: { namespace: 'default', workflow: 'bench', requestedAt: 1_000_000, inputExcerpt: '{"shop":7}' },
      status: { status: 'succeeded', finishedAt: 1_000_000 + 10 * (events.length - 1) },
      startedAt: 1_000_010,
      tasks: { total: 4, active: 0, completed: 4, failed: 0, skipped: 0, canceled: 0 },
      events: events.length,
      position: events.length,
    });
  });

  it('counts the task that a step starts in the same event', () => {
    const events = eventsOf({ steps: 3 }).slice(0, 4);
    expect(projectReadModels(events).runs[0]?.tasks).toMatchObject({ total: 3, active: 1, completed: 1 });
  });

  it('calls a run whose task was escalated escalated, not failed', () => {
    const change = projectReadModels(eventsOf({ ending: 'escalated' })).runs[0];
    expect(change?.status).toMatchObject({ status: 'escalated', error: { code: 'TASK_ESCALATED', message: 'it broke' } });
    expect(change?.tasks).toMatchObject({ failed: 1, completed: 9, active: 0 });
  });

  it.each(['succeeded', 'failed', 'escalated', 'canceled', 'open'] as const)('adds up to the same when a %s run comes in pieces', (ending) => {
    const events = eventsOf({ ending, steps: 5 });
    const whole = projectReadModels(events).runs[0];
    for (let cut = 1; cut < events.length; cut += 1) {
      const [first, second] = [events.slice(0, cut), events.slice(cut)].map((part) => projectReadModels(part).runs[0]!) as [never, never];
      const { tasks: left, events: before } = first as { tasks: Record<string, number>; events: number };
      const { tasks: right, events: after, status } = second as { tasks: Record<string, number>; events: number; status?: object };
      expect(Object.fromEntries(Object.keys(left).map((key) => [key, left[key]! + right[key]!]))).toEqual(whole?.tasks);
      expect(before + after).toBe(events.length);
      expect(status ?? (first as { status?: object }).status).toEqual(whole?.status);
    }
  });

  it('never reads events whose content does not show in a summary', () => {
    const [requested] = eventsOf();
    const unread = { ...requested!, type: 'SideEffectRecorded' as const, task: 'step1' as never, data: 'not JSON at all' };
    expect(projectReadModels([unread]).runs[0]).toMatchObject({ events: 1, tasks: { total: 0 } });
  });
});

describe('projecting workflows', () => {
  const published = (definition: string, labels: string[], position: number): RecordedEvent => ({
    ...eventsOf()[0]!, position, type: 'WorkflowPublished', data: JSON.stringify({ workflow: 'w', definition, labels, at: position }),
  });

  it('moves each label to the newest definition that carries it', () => {
    const { workflows, runs } = projectReadModels([published('aa', ['live', '1.0.0'], 1), published('bb', ['live'], 2)]);
    expect(runs).toEqual([]);
    expect(workflows).toEqual([{ namespace: 'default', name: 'w', labels: { live: 'bb', '1.0.0': 'aa' }, publishedAt: 2, position: 2 }]);
  });
});
