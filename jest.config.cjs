/** One configuration for all projects; `nx test <project>` passes the project's folder. */
const { existsSync } = require('node:fs');
const { availableParallelism } = require('node:os');

const swcrc = JSON.parse(require('node:fs').readFileSync(`${__dirname}/.swcrc`, 'utf8'));
delete swcrc.jsc.baseUrl;
delete swcrc.jsc.paths;
delete swcrc.$schema;

module.exports = {
  rootDir: __dirname,
  roots: ['apps', 'libs', 'tools', 'e2e', 'benchmarks', 'examples']
    .filter((folder) => existsSync(`${__dirname}/${folder}`))
    .map((folder) => `<rootDir>/${folder}`),
  testEnvironment: 'node',
  testMatch: ['**/*.spec.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swcrc, swcrc: false, sourceMaps: 'inline' }] },
  moduleNameMapper: {
    '^@foldwork/events/contracts$': '<rootDir>/libs/events/src/contracts/index.ts',
    '^@foldwork/read-models/migrations$': '<rootDir>/libs/read-models/src/read-model-migrations.ts',
    '^@foldwork/([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
  },
  testTimeout: 30_000,
  // Two workers on two cores: tests wait for Postgres and NATS more than they compute. More would only starve those.
  maxWorkers: Math.min(4, Math.max(2, availableParallelism() - 1)),
  reporters: ['default', '<rootDir>/tools/closing-line.reporter.cjs'],
};
