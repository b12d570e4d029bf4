/**
 * Preloaded into a service by the tests (`node -r`): kills it with SIGKILL at a statement or message the test names over
 * the IPC channel, and when the test itself is gone. The services know nothing of it.
 *
 * A point is {when: 'before' | 'after', on: 'sql' | 'bus', match: regular expression, nth}. `before` an SQL statement:
 * nothing of it has left the process. `after`: Postgres has answered, and nobody in the process has seen the answer.
 * `on: bus` means bytes on their way to NATS; `after` them: the kernel has them.
 */
'use strict';
const { Socket } = require('node:net');
const { Client } = require('pg');

let armed;
process.on('message', (point) => {
  armed = { ...point, expression: new RegExp(point.match, 's'), left: point.nth ?? 1 };
  process.send({ armed: true });
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.channel?.unref();

const die = () => {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // nothing of this process runs between the signal and its end
};

const hits = (on, text) => {
  if (armed === undefined || armed.on !== on || !armed.expression.test(text())) return false;
  armed.left -= 1;
  return armed.left === 0;
};

/** A text as it is, too: what the log gets one by one has quotes of its own. */
const shownValue = (value) => {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return typeof value === 'string' ? `${value}\n${JSON.stringify(value)}` : JSON.stringify(value);
};

/**
 * The statement and its parameters as text; the log sends arrays in binary, whose texts stand in them as they are, and has
 * a kind of query of its own, which keeps them in its statement.
 */
const textOf = (config, values) => {
  const isText = typeof config === 'string';
  const parameters = (isText ? values : (config.values ?? config.statement?.values)) ?? [];
  const shown = Array.isArray(parameters) ? parameters.map(shownValue) : [];
  return [isText ? config : config.text, ...shown].join('\n');
};

const query = Client.prototype.query;
Client.prototype.query = function (config, values, callback) {
  if (!hits('sql', () => textOf(config, values))) return query.call(this, config, values, callback);
  if (armed.when === 'before') die();
  if (typeof config.submit === 'function') {
    Object.assign(config, { handleReadyForQuery: die, handleError: die }); // it takes the answer itself
    return query.call(this, config, values, callback);
  }
  const last = typeof values === 'function' ? values : callback;
  if (typeof last !== 'function') return query.call(this, config, values).then(die, die);
  return typeof values === 'function' ? query.call(this, config, die) : query.call(this, config, values, die);
};

const { write } = Socket.prototype;
Socket.prototype.write = function (chunk, ...rest) {
  const isHit = hits('bus', () => (typeof chunk === 'string' ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')));
  if (isHit && armed.when === 'before') die();
  if (!isHit) return write.call(this, chunk, ...rest);
  return write.call(this, chunk, () => setTimeout(die, 20));
};
