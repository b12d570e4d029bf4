/** One configuration for all projects; `nx test <project>` passes the project's folder. */
const { existsSync } = require('node:fs');
const { availableParallelism } = require('node:os');

const read = (file) => JSON.parse(require('node:fs').readFileSync(`${__dirname}/${file}`, 'utf8'));
const swcrc = read('.swcrc');
delete swcrc.$schema;
const { paths } = read('tsconfig.json').compilerOptions;

module.exports = {
  rootDir: __dirname,
  roots: ['apps', 'libs', 'tools', 'e2e', 'benchmarks', 'examples']
    .filter((folder) => existsSync(`${__dirname}/${folder}`))
    .map((folder) => `<rootDir>/${folder}`),
  testEnvironment: '<rootDir>/tools/leak-check.environment.cjs',
  testMatch: ['**/*.spec.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swcrc, swcrc: false, sourceMaps: 'inline' }] },
  moduleNameMapper: Object.fromEntries(Object.entries(paths).map(([name, [file]]) => [`^${name}$`, file.replace('./', '<rootDir>/')])),
  testTimeout: 30_000,
  // Two workers on two cores: tests wait for Postgres and NATS more than they compute. More would only starve those.
  maxWorkers: Math.min(4, Math.max(2, availableParallelism() - 1)),
  reporters: ['default', '<rootDir>/tools/closing-line.reporter.cjs'],
};
