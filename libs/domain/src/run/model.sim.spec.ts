import { playStory } from '@foldwork/testing';

/**
 * Random definitions of all types, nested, with failures, waits, signals, loops, pauses, rollbacks and child runs, in a
 * world that loses, doubles and delays commands and kills processes at appends. A small model that knows nothing of
 * events says how each must end. One seed again: `npm run simulate -- --seed N`.
 */
const SEEDS_IN_CI = 20_000;
/** `SIMULATION_SEEDS` asks for more or, while working, for fewer; CI never plays fewer. */
const SEEDS = Math.max(Number(process.env['SIMULATION_SEEDS'] ?? SEEDS_IN_CI), process.env['CI'] === undefined ? 1 : SEEDS_IN_CI);
const ONLY = process.env['SIMULATION_SEED'];
const FAULTS_SHOWN = 5;
const PARTS = 4;

const played = async (seed: number): Promise<readonly string[]> => {
  try {
    return (await playStory(seed)).faults;
  } catch (error) {
    return [String((error as Error).stack)];
  }
};

const disagreements = async (from: number, to: number): Promise<string[]> => {
  const found: string[] = [];
  for (let seed = from; seed <= to && found.length < FAULTS_SHOWN; seed += 1) {
    const faults = await played(seed);
    if (faults.length > 0) found.push(`npm run simulate -- --seed ${seed}: ${faults.slice(0, 4).join('; ')}`);
  }
  return found;
};

if (ONLY === undefined) {
  const size = Math.ceil(SEEDS / PARTS);
  it.each(Array.from({ length: PARTS }, (_, part) => [part * size + 1, (part + 1) * size]))(
    'the engine agrees with the model, no run hangs, nothing done is done again: seeds %i to %i',
    async (from, to) => expect(await disagreements(from, to)).toEqual([]),
    300_000,
  );
} else {
  it(`seed ${ONLY}`, async () => {
    const { story, sim, prediction, faults } = await playStory(Number(ONLY));
    const events = await sim.log.readAfter(0, Number.MAX_SAFE_INTEGER);
    const lines = events.map(({ runId, type, task, version, data }) => `${runId.slice(-4)} ${type} ${task} v${version} ${data}`);
    process.stdout.write(`${JSON.stringify(story, null, 2)}\n${lines.join('\n')}\n${JSON.stringify([...prediction.statuses])}\n`);
    expect(faults).toEqual([]);
  }, 300_000);
}
