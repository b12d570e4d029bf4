import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVERYTHING_WORKFLOWS, NO_FAULTS, Simulation, playStory, scripted, stateText } from '@foldwork/testing';
import { parseJson, type Json, type RecordedEvent } from '@foldwork/events/contracts';
import { foldEvent, foldRun } from './fold-run';
import type { RunState } from './run.state';

/**
 * Logs as releases have written them, and the states they folded to. Files are added with each release and never changed:
 * `GOLDEN_RECORD=<release> npm run test:run -- golden-logs` writes those of the present code where there are none.
 */
const FOLDER = join(__dirname, '../../../events/src/contracts/golden');

interface Golden {
  readonly release: string;
  readonly about: string;
  readonly events: readonly RecordedEvent[];
  /** By run, as `stateText` gives it. */
  readonly states: Readonly<Record<string, string>>;
}

const byRun = (events: readonly RecordedEvent[]): RecordedEvent[][] => [...Map.groupBy(events, ({ runId }) => runId).values()];

type Death = { readonly append: number; readonly when: 'before' | 'after' };

const eventsWith = async (crashAt?: Death): Promise<RecordedEvent[]> => {
  const sim = new Simulation({ faults: { ...NO_FAULTS, ...(crashAt && { crashAt }) }, actions: { step: scripted, look: () => ({ output: null }) } });
  for (const workflow of EVERYTHING_WORKFLOWS) sim.define(workflow);
  await sim.request('everything', { input: { exact: parseJson('9007199254740993') } });
  await sim.settle();
  return sim.log.readAfter(0, Number.MAX_SAFE_INTEGER);
};

/** The first append whose executor dies with an attempt in its hands. */
const eventsWithLostAttempt = async (): Promise<RecordedEvent[]> => {
  for (let append = 0; ; append += 1) {
    const events = await eventsWith({ append, when: 'after' });
    if (events.some(({ data }) => data.includes('LEASE_LOST'))) return events;
  }
};

const record = async (release: string, about: string, make: () => Promise<RecordedEvent[]>): Promise<void> => {
  const path = join(FOLDER, `${release}-${about}.json`);
  if (existsSync(path)) return;
  const events = await make();
  const states = Object.fromEntries(byRun(events).map((ofRun) => [ofRun[0]?.runId ?? '', stateText(foldRun(ofRun) as RunState)]));
  writeFileSync(path, `${JSON.stringify({ release, about, events, states }, null, 1)}\n`);
};

beforeAll(async () => {
  const release = process.env['GOLDEN_RECORD'];
  if (release === undefined) return;
  await record(release, 'everything', eventsWith);
  await record(release, 'executor-died', eventsWithLostAttempt);
});

const goldens = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

describe('logs of every release', () => {
  it('there is at least one', () => expect(goldens.length).toBeGreaterThan(0));

  it.each(goldens)('[S3-58] %s folds to byte-equal states', (name) => {
    const { events, states } = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Golden;
    for (const ofRun of byRun(events)) expect(stateText(foldRun(ofRun) as RunState)).toBe(states[ofRun[0]?.runId ?? '']);
    expect(byRun(events)).toHaveLength(Object.keys(states).length);
  });
});

describe('folding', () => {
  const reversed = (value: Json): Json => {
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return Array.isArray(value) ? value.map(reversed) : value;
    return Object.fromEntries(Object.entries(value).reverse().map(([key, member]) => [key, reversed(member)]));
  };

  it('[S3-54] does not depend on the order of keys in the events', async () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      for (const ofRun of byRun(await (await playStory(seed)).sim.log.readAfter(0, 99_999))) {
        const turned = ofRun.map((event) => ({ ...event, data: JSON.stringify(reversed(parseJson(event.data))) }));
        expect(stateText(foldRun(turned) as RunState)).toBe(stateText(foldRun(ofRun) as RunState));
      }
    }
  });

  const withoutChildRuns = (run: RunState): RunState => {
    run.childRuns.clear();
    return run;
  };

  it('gives what a planner has in memory that applied its own decisions as it made them', async () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const { sim, run } = await playStory(seed);
      const held = sim.planner.held(run.runId);
      held?.childRuns.clear(); // those that were canceled and have ended are forgotten in memory
      if (held !== undefined) expect([seed, stateText(held)]).toEqual([seed, stateText(withoutChildRuns(await sim.run(run.runId)))]);
    }
  });

  it('in pieces, with events that come twice, gives what folding at once gives', async () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      for (const ofRun of byRun(await (await playStory(seed)).sim.log.readAfter(0, 99_999))) {
        let run: RunState | undefined;
        for (const [index, event] of ofRun.entries()) for (const again of ofRun.slice(Math.max(0, index - 3), index + 1).concat(event)) run = foldEvent(run, again);
        expect(stateText(run as RunState)).toBe(stateText(foldRun(ofRun) as RunState));
      }
    }
  });
});
