import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { definitionHash, parseDefinition, taskTypes, type Definition, type Orchestrator, type TaskTypeModule } from '@foldwork/domain';
import { stringifyJson, type RecordedEvent } from '@foldwork/events';
import { EVERYTHING_WORKFLOWS, playStory } from '@foldwork/testing';
import { checkLog, type CheckReport } from '../src/check/check-log';
import { exportedLog } from '../src/check/recorded-logs';

const GOLDEN = join(__dirname, '../../../libs/events/src/contracts/golden');

const check = async (events: readonly RecordedEvent[], definitions: readonly Definition[]): Promise<CheckReport> => {
  const lines = async function* (): AsyncGenerator<string> {
    for (const event of events) yield stringifyJson({ kind: 'event', event });
    for (const body of definitions) yield stringifyJson({ kind: 'definition', namespace: events[0]?.namespace, hash: definitionHash(body), body: stringifyJson(body) });
  };
  return checkLog(await exportedLog(lines()));
};

const golden = (name: string): RecordedEvent[] => (JSON.parse(readFileSync(join(GOLDEN, name), 'utf8')) as { events: RecordedEvent[] }).events;
const goldenNames = readdirSync(GOLDEN).filter((name) => name.endsWith('.json'));
const EVERYTHING = EVERYTHING_WORKFLOWS.map((source) => {
  const definition = typeof source === 'string' ? parseDefinition(source).definition : source;
  if (definition === undefined) throw new Error('not a valid definition');
  return definition as Definition;
});

const registered = (type: string): TaskTypeModule => {
  const definition = taskTypes.definitionOf(type);
  return { definition, ...taskTypes.traitsOf(type), orchestrators: [taskTypes.orchestratorFor(type)] };
};

/** The present code with one rule changed. */
const withRule = async <T>(type: string, change: (rule: Orchestrator) => Orchestrator, work: () => Promise<T>): Promise<T> => {
  const before = registered(type);
  taskTypes.register({ ...before, orchestrators: before.orchestrators.map(change) });
  try {
    return await work();
  } finally {
    taskTypes.register(before);
  }
};

describe('the logs of every release', () => {
  it.each(goldenNames)('[S3-58] %s would be decided again as it was', async (name) => {
    const report = await check(golden(name), EVERYTHING);
    expect(report.differences).toEqual([]);
    expect(report.runs).toBeGreaterThan(1);
  });
});

describe('logs of the present code', () => {
  it('would be decided again as they were: 200 random stories, half of them in a world that loses and crashes', async () => {
    let events = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const { story, sim } = await playStory(seed);
      const report = await check(await sim.log.readAfter(0, 99_999), [story.definition, ...story.children]);
      expect([seed, report.differences]).toEqual([seed, []]);
      events += report.events;
    }
    expect(events).toBeGreaterThan(5_000);
  }, 120_000);
});

describe('a change of behaviour', () => {
  const [everything = ''] = goldenNames;

  it('[S3-58] is found where a rule fails what it used to complete', async () => {
    const fails = (rule: Orchestrator): Orchestrator => ({ ...rule, begin: () => [{ kind: 'fail', error: { code: 'CHANGED', message: 'changed' } }] });
    const { differences } = await withRule('router', fails, () => check(golden(everything), EVERYTHING));
    expect(differences).toMatchObject([{ kind: 'decides_otherwise', workflow: 'everything', recorded: expect.arrayContaining(['pick: begin in_progress']) }]);
    expect(differences[0]?.present.join()).toContain('pick: fail');
  });

  it('is found where a rule asks for other work than executors did', async () => {
    const late = (rule: Orchestrator): Orchestrator => ({ ...rule, advance: (view) => (rule.advance?.(view) ?? []).filter(({ kind }) => kind !== 'runChild' && kind !== 'runChildren') });
    const { differences } = await withRule('collection', late, () => check(golden(everything), EVERYTHING));
    expect(differences).toMatchObject([{ kind: 'does_not_hand_out', recorded: ['images[0]: begin in_progress'] }]);
  });

  it('is found where events no longer fold', async () => {
    const broken = golden(everything).map((event) => (event.type === 'RunPlanned' ? { ...event, data: '{"at":1}' } : event));
    const { differences } = await check(broken, EVERYTHING);
    expect(differences.length).toBeGreaterThan(0);
    expect(differences.every(({ kind }) => kind === 'does_not_fold' || kind === 'decides_otherwise')).toBe(true);
  });

  it('is found where a definition is gone', async () => {
    const { differences, runs } = await check(golden(everything), []);
    expect(differences.map(({ kind }) => kind)).toEqual(Array.from({ length: runs }, () => 'definition_missing'));
  });

  it('is not found in a log that nobody touched, after the rule is back', async () => {
    expect((await check(golden(everything), EVERYTHING)).differences).toEqual([]);
  });
});
