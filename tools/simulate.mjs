// Plays one seed of the model-based test again and prints its story and its log: npm run simulate -- --seed 4711
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seed: { type: 'string' } } });
if (!/^\d+$/.test(values.seed ?? '')) {
  console.error('usage: npm run simulate -- --seed <number>');
  process.exit(2);
}
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js', 'libs/domain/src/run/model.sim.spec.ts'];
const { status } = spawnSync(process.execPath, jest, { stdio: 'inherit', env: { ...process.env, SIMULATION_SEED: values.seed } });
process.exit(status ?? 1);
