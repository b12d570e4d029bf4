import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordedEvent, RunId, TaskPath } from '@foldwork/events';
import { runIdAt } from '@foldwork/testing';
import { RollingRoot, type Anchor } from '../src/anchor/rolling-root';
import { cloudEvent } from '../src/feed/cloud-event';
import { Metrics, stepLabel } from '../src/statsd/metric';
import { MetricsProjection } from '../src/statsd/metrics.projection';
import { OpenRuns } from '../src/statsd/open-runs';
import { Tally } from '../src/statsd/tally';

const runId: RunId = runIdAt(1_000);
let position = 0;
const event = (task: string, type: RecordedEvent['type'], data: object, version = 1): RecordedEvent => ({
  runId, task: task as TaskPath, version, type, schemaVersion: 1, data: JSON.stringify(data), metadata: '{}', namespace: 'default',
  decide: true, position: (position += 1), recordedAt: 0, hash: String(position).padStart(64, '0'),
});
const moved = (task: string, from: string, to: string, at: number, more: object = {}): RecordedEvent =>
  event(task, 'TaskTransitioned', { transition: 'x', from, to, attempt: 1, at, ...more });

const measure = (events: RecordedEvent[]): { counters: Record<string, number>; timers: Record<string, readonly number[]> } => {
  const tally = new Tally();
  new MetricsProjection(new Metrics('name'), new OpenRuns(10)).count(tally, events);
  const { counters, timers } = tally.take();
  return {
    counters: Object.fromEntries([...counters].map(([{ name }, count]) => [name, count])),
    timers: Object.fromEntries([...timers].map(([{ name }, values]) => [name, values])),
  };
};
const requested = event('', 'RunRequested', { workflow: 'w', input: {}, at: 1_000 });

describe('the names of metrics', () => {
  const guide = readFileSync(join(__dirname, '../../../docs/guides/follow-runs.md'), 'utf8');
  const metrics = new Metrics('name');
  const sent: string[] = [
    metrics.queued, metrics.retries, metrics.taskDuration, metrics.taskQueue, metrics.runStatus('<status>'), metrics.runDuration('<status>'),
    metrics.taskStatus('<status>'), metrics.verification('<applied, not_applied, unknown>'), ...Object.values(metrics.step('step')),
  ].map(({ name }) => name.replace('steps.step.', 'steps.<step>.'));

  it('are those that the guide lists', () => {
    const rows = [...guide.matchAll(/^\| (`[a-z].*?`) \| (counter|timer, ms) \|/gm)].flatMap(([, names = '']) => names.split(', `').map((name) => name.replaceAll('`', '')));
    const listed = rows.map((name) => (name.startsWith('.') ? `steps.<step>${name}` : name)).filter((name) => !name.startsWith('tasks.planned'));
    expect(listed.toSorted()).toEqual(sent.toSorted());
  });
});

describe('metrics of tasks', () => {
  it('share one label over the items of a collection and the visits of a loop', () => {
    expect(stepLabel('images[12]/upload')).toBe('images-upload');
    expect(stepLabel('check#2/notify')).toBe('check-notify');
    expect(stepLabel('a b.c:d|e@f')).toBe('a_b_c_d_e_f');
  });

  it('let children of a container queue from its beginning', () => {
    const { timers } = measure([
      requested,
      event('', 'RunPlanned', { tasks: [{ id: 'images', type: 'collection' }], at: 1_005 }),
      moved('images', 'pending', 'in_progress', 1_010, { children: { childCount: 2 } }),
      moved('images[0]', 'pending', 'in_progress', 1_013),
      moved('images[0]', 'in_progress', 'completed', 1_020),
    ]);
    expect(timers['tasks.queue']).toEqual([5, 3]);
    expect(timers['steps.images.duration']).toEqual([7]);
  });

  it('count retries of tasks and runs, answers of verify, and skips', () => {
    const { counters } = measure([
      requested,
      moved('a', 'in_progress', 'failed', 1),
      moved('a', 'failed', 'pending', 2, { transition: 'retry' }),
      event('a', 'EffectVerified', { attempt: 1, answer: 'applied', at: 3 }),
      moved('b', 'pending', 'skipped', 4),
      event('', 'RunFailed', { error: { code: 'X', message: '' }, at: 5 }),
      event('', 'RunRetried', { attempt: 2, automatic: true, tasks: [], at: 6 }),
    ]);
    expect(counters).toMatchObject({
      retries: 2, 'verifications.applied': 1, 'steps.b.skipped': 1, 'steps.a.failed': 1, 'runs.status.failed': 1, 'runs.status.running': 1,
    });
  });

  it('count planned tasks by the version of the rule that the run follows, also after a retry', () => {
    const { counters } = measure([
      event('', 'RunRequested', { workflow: 'w', input: {}, at: 1, orchestrators: { aggregate: 2 } }),
      event('', 'RunPlanned', { tasks: [{ id: 'items', type: 'collection' }, { id: 'both', type: 'parallel' }, { id: 'sum', type: 'aggregate' }], at: 2 }),
      moved('items', 'pending', 'in_progress', 3, { children: { childCount: 4, items: [], itemType: 'basic' } }),
      event('', 'RunFailed', { error: { code: 'X', message: '' }, at: 4 }),
      event('', 'RunRetried', { attempt: 2, automatic: false, tasks: [], at: 5 }),
      moved('both', 'pending', 'in_progress', 6, { children: { childCount: 2, tasks: [{ id: 'a', type: 'aggregate' }, { id: 'b', type: 'basic' }] } }),
      event('gate', 'ChildPlanned', { index: 0, type: 'basic', signalId: 's', at: 7 }),
    ]);
    expect(Object.fromEntries(Object.entries(counters).filter(([name]) => name.startsWith('tasks.planned')))).toEqual({
      'tasks.planned.collection.v1': 1, 'tasks.planned.parallel.v1': 1, 'tasks.planned.aggregate.v2': 2, 'tasks.planned.basic.v1': 6,
    });
  });

  it('measure a retried run from its retry', () => {
    const { timers } = measure([
      requested,
      event('', 'RunFailed', { error: { code: 'X', message: '' }, at: 2_000 }),
      event('', 'RunRetried', { attempt: 2, automatic: true, tasks: [], at: 32_000 }),
      event('', 'RunCompleted', { output: {}, at: 32_500 }),
    ]);
    expect(timers).toMatchObject({ 'runs.duration.failed': [1_000], 'runs.duration.succeeded': [500] });
  });
});

describe('a rolling root', () => {
  const events = Array.from({ length: 10 }, (_, index) => ({ position: index + 1, hash: String(index).padStart(64, 'a') }));
  const every3 = (from?: Anchor): RollingRoot => new RollingRoot((after) => after + 3, from);

  it('is the same whether the events come at once, in pieces, or on top of an earlier anchor', () => {
    const whole = every3().add(events);
    expect(whole.map((anchor) => anchor.position)).toEqual([3, 6, 9]);
    const pieces = every3();
    expect(events.flatMap((each) => pieces.add([each]))).toEqual(whole);
    expect(every3(whole[0]).add(events.slice(3))).toEqual(whole.slice(1));
  });

  it('changes with every hash before it', () => {
    const changed = events.map((each, index) => (index === 1 ? { ...each, hash: 'b'.repeat(64) } : each));
    const [before, after] = [every3().add(events), every3().add(changed)];
    before.forEach((anchor, index) => expect(anchor.root).not.toBe(after[index]?.root));
  });
});

it('escapes what a header may not hold', () => {
  const { headers, id } = cloudEvent({ ...event('$signal/ä "100%"', 'SignalReceived', {}), namespace: 'a b' });
  expect(headers['ce-subject']).toMatch(/\/\$signal\/%C3%A4%20%22100%25%22$/);
  expect(headers['ce-source']).toBe('/foldwork/a%20b');
  expect(id).toBe(headers['ce-id']);
});
