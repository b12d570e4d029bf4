/**
 * Where each test file runs. It fails a file that leaves something behind which keeps its process alive: a connection, a
 * server, a timer. Looked at after all hooks of the file, since what they close is no leak. A file that is run alone shares
 * its process with jest, whose own timers may then hide one of its.
 */
const { setTimeout: sleep } = require('node:timers/promises');
const { TestEnvironment } = require('jest-environment-node');

/** Sockets that were told to close take a moment, and an attempt to connect to a server that was killed ends with its time limit. */
const PATIENCE_MS = 20_000;
const STEP_MS = 50;

/** Opened by the first line that somebody prints, and no leak. */
void [process.stdout, process.stderr];

const count = (names) => Map.groupBy(names, (name) => name);

class LeakCheck extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.patienceMs = config.projectConfig.testEnvironmentOptions.leakPatienceMs ?? PATIENCE_MS;
  }

  before = count(process.getActiveResourcesInfo());

  /** What is there now and was not when the file began, as `2 × TCPSocketWrap`. */
  leaks() {
    return [...count(process.getActiveResourcesInfo())]
      .map(([kind, { length }]) => [kind, length - (this.before.get(kind)?.length ?? 0)])
      .flatMap(([kind, more]) => (more > 0 ? [`${more} × ${kind}`] : []));
  }

  async teardown() {
    for (let waited = 0; waited < this.patienceMs && this.leaks().length > 0; waited += STEP_MS) await sleep(STEP_MS);
    const left = this.leaks();
    await super.teardown();
    if (left.length > 0) throw new Error(`The tests left open: ${left.join(', ')}`);
  }
}

module.exports = LeakCheck;
