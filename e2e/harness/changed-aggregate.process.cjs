/** Preloaded into a command by a test: a release that has changed a rule where it should have added a version. */
'use strict';
const { taskTypes } = require('../../dist/libs/domain/src/index.js');

const definition = taskTypes.definitionOf('aggregate');
const changed = { ...taskTypes.orchestratorFor('aggregate'), begin: () => [{ kind: 'complete', output: 'otherwise' }] };
taskTypes.register({ definition, ...taskTypes.traitsOf('aggregate'), orchestrators: [changed] });
