import { playDisturbedStory } from '@foldwork/testing';

/** `DISTURBED_FROM=100000 DISTURBED_SEEDS=20000` plays others. */
const FROM = Number(process.env['DISTURBED_FROM'] ?? 1);
const SEEDS = Number(process.env['DISTURBED_SEEDS'] ?? 1_000);
const FAULTS_SHOWN = 5;

const played = async (seed: number): Promise<readonly string[]> => {
  try {
    return await playDisturbedStory(seed);
  } catch (error) {
    return [String((error as Error).stack)];
  }
};

it(`runs that people pause, resume, retry, cancel and resolve at odd moments end and keep the laws: ${SEEDS} stories`, async () => {
  const found: string[] = [];
  for (let seed = FROM; seed < FROM + SEEDS && found.length < FAULTS_SHOWN; seed += 1) {
    found.push(...(await played(seed)).map((fault) => `seed ${seed}: ${fault}`));
  }
  expect(found).toEqual([]);
}, 600_000);
