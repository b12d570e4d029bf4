/**
 * Preloaded into the services by a test: an installation that has a second version of the rule of `aggregate`, as a release
 * would bring it. Its result tells which version it was.
 */
'use strict';
const { taskTypes } = require('../../dist/libs/domain/src/index.js');

const definition = taskTypes.definitionOf('aggregate');
const second = { type: 'aggregate', version: 2, begin: () => [{ kind: 'complete', output: 'version 2' }] };
taskTypes.register({ definition, ...taskTypes.traitsOf('aggregate'), orchestrators: [taskTypes.orchestratorFor('aggregate'), second] });
