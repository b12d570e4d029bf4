/** `node -r` this file runs the workspace's TypeScript as it stands, transformed as the tests transform it. */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const { transformSync } = require('@swc/core');

const root = join(__dirname, '../../../..');
const swcrc = JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8'));
for (const key of ['baseUrl', 'paths']) delete swcrc.jsc[key];
delete swcrc.$schema;

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (request === '@foldwork/events/contracts') return join(root, 'libs/events/src/contracts/index.ts');
  if (request === '@foldwork/read-models/migrations') return join(root, 'libs/read-models/src/read-model-migrations.ts');
  const library = /^@foldwork\/([a-z-]+)$/.exec(request);
  return library ? join(root, 'libs', library[1], 'src/index.ts') : resolve.call(this, request, ...rest);
};
require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...swcrc, swcrc: false, filename, sourceMaps: 'inline' });
  module._compile(code, filename);
};
