/** `node -r` this file runs the workspace's TypeScript as it stands, transformed as the tests transform it. */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const { transformSync } = require('@swc/core');

const root = join(__dirname, '../../../..');
const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));
const swcrc = read('.swcrc');
delete swcrc.$schema;
const { paths } = read('tsconfig.json').compilerOptions;

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return Object.hasOwn(paths, request) ? join(root, paths[request][0]) : resolve.call(this, request, ...rest);
};
require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...swcrc, swcrc: false, filename, sourceMaps: 'inline' });
  module._compile(code, filename);
};
