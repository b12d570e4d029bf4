import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/**
 * Run through Nx (`npm run lint`, `nx lint <project>`): without the project graph the boundary rule has nothing to
 * check against. tools/lint-canary.int.spec.ts proves that the boundary and the purity rules are active.
 */

const PURE = ['libs/domain/src/**/*.ts', 'libs/events/src/contracts/**/*.ts', '**/*.projection.ts'];
const TESTS = ['**/*.spec.ts', '**/*.contract.ts', '**/*.bench.ts', 'libs/testing/**/*.ts', 'apps/*/test/**/*.ts', 'e2e/**/*.ts', 'benchmarks/**/*.ts'];

const boundaries = {
  allow: [],
  enforceBuildableLibDependency: false,
  // Tests of a library use the fixtures of `testing`, which are made of that library.
  ignoredCircularDependencies: ['domain', 'events', 'read-models', 'platform'].map((name) => [name, 'testing']),
  depConstraints: [
    // Apps know libraries and never each other; the rule also refuses to import any project of type application.
    { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:lib'] },
    { sourceTag: 'type:composition', onlyDependOnLibsWithTags: ['type:lib', 'type:app'] },
    { sourceTag: 'type:tool', onlyDependOnLibsWithTags: ['type:lib', 'type:tool'] },
    { sourceTag: 'layer:events', onlyDependOnLibsWithTags: ['layer:testing'] },
    { sourceTag: 'layer:domain', onlyDependOnLibsWithTags: ['layer:events', 'layer:testing'] },
    { sourceTag: 'layer:read-models', onlyDependOnLibsWithTags: ['layer:domain', 'layer:events', 'layer:testing'] },
    { sourceTag: 'layer:actions', onlyDependOnLibsWithTags: ['layer:domain', 'layer:events', 'layer:testing'] },
    {
      sourceTag: 'layer:platform',
      onlyDependOnLibsWithTags: ['layer:domain', 'layer:events', 'layer:read-models', 'layer:testing'],
    },
    {
      sourceTag: 'layer:testing',
      onlyDependOnLibsWithTags: ['layer:domain', 'layer:events', 'layer:read-models', 'layer:platform'],
    },
  ],
};

const noTestingInProduction = {
  group: ['@foldwork/testing'],
  message: 'Fixtures are for tests; production code must run without them.',
};
const pureImports = [
  { group: ['node:*'], message: 'Pure code has no I/O, clock or randomness: hand the value in.' },
  {
    group: ['@nestjs/*', 'pg', 'typeorm', '@nats-io/*', 'pino', 'rxjs', 'fastify', 'hot-shots'],
    message: 'Pure code knows no framework and no infrastructure.',
  },
];
const contractsOnly = {
  regex: '^@foldwork/(?!events/contracts$)',
  message: 'The domain knows the contracts of events and nothing else of the workspace.',
};
const noOtherAdapter = {
  regex: '\\.adapter$',
  message: 'Adapters never import adapters: move what they share into a file of its own beside the port.',
};

/** The options of a rule replace those of an earlier block, so each block lists all that hold for its files. */
const restrictedImports = (...patterns) => ['error', { patterns }];

const IMPURE_GLOBALS = [
  'process', 'console', 'Buffer', 'fetch', 'performance', 'crypto', 'require', '__dirname', '__filename',
  'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask',
];
const pureRules = {
  'no-restricted-globals': [
    'error',
    ...IMPURE_GLOBALS.map((name) => ({ name, message: 'Pure code: no I/O, timers, environment or output.' })),
    { name: 'globalThis', message: 'Pure code: no way round the rules about globals.' },
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Pure code: time comes in the command.' },
    { object: 'Math', property: 'random', message: 'Pure code: randomness comes in the command.' },
  ],
  'no-restricted-syntax': [
    'error',
    {
      selector: "NewExpression[callee.name='Date'][arguments.length=0]",
      message: 'Pure code: time comes in the command; new Date() reads the clock.',
    },
    { selector: "CallExpression[callee.name='Date']", message: 'Pure code: Date() reads the clock.' },
    { selector: 'ImportExpression', message: 'Pure code: import statically.' },
  ],
};

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.nx', '.foldwork', 'coverage', 'tmp', '**/*.cjs', '**/*.mjs', '**/*.js'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@nx/enforce-module-boundaries': ['error', boundaries],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false, attributes: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      complexity: ['warn', 12],
      'max-depth': ['warn', 3],
      'max-params': ['warn', 4],
      'max-lines': ['warn', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['warn', { max: 50, skipBlankLines: true, skipComments: true }],
      'no-restricted-imports': restrictedImports(noTestingInProduction),
    },
  },
  { files: ['**/*.adapter.ts'], rules: { 'no-restricted-imports': restrictedImports(noTestingInProduction, noOtherAdapter) } },
  // Nest resolves constructor parameters by their runtime type: an import that looks like a type must stay a value.
  { files: ['apps/**/*.ts', 'libs/platform/**/*.ts'], rules: { '@typescript-eslint/consistent-type-imports': 'off' } },
  {
    files: PURE,
    ignores: TESTS,
    rules: { ...pureRules, 'no-restricted-imports': restrictedImports(noTestingInProduction, ...pureImports) },
  },
  {
    files: ['libs/domain/src/**/*.ts'],
    ignores: TESTS,
    rules: { 'no-restricted-imports': restrictedImports(noTestingInProduction, ...pureImports, contractsOnly) },
  },
  {
    files: ['libs/events/src/contracts/**/*.ts'],
    ignores: TESTS,
    rules: {
      'no-restricted-imports': restrictedImports(...pureImports, {
        group: ['@foldwork/*', '../*'],
        message: 'Contracts depend on nothing.',
      }),
    },
  },
  // The standalone app is made of the modules of the four services: the one place where an app may be imported.
  {
    files: ['apps/standalone/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          ...boundaries,
          allow: ['gateway', 'planner', 'executor', 'auditor'].flatMap((app) =>
            ['../..', '../../..'].flatMap((up) => [`${up}/${app}/src`, `${up}/${app}/src/**`]),
          ),
        },
      ],
    },
  },
  // A program for a terminal prints; so do benchmarks and examples.
  {
    files: ['apps/standalone/**/*.ts', '**/main.ts', '**/*.main.ts', 'benchmarks/**/*.ts', 'examples/**/*.ts', 'tools/**/*.ts', '**/*.bench.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: TESTS,
    rules: {
      'no-restricted-imports': 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
