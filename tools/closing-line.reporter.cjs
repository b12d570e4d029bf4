/**
 * Ends the run with one plain line that a script can read: `N passed, N failed`, and `, N skipped` if there are any.
 * Jest prints its own summary after every other reporter, so the line waits for the end of the process.
 */
module.exports = class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests;
    // A test file that cannot even be loaded has no failed test; it must not look like success.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    process.once('exit', () => process.stdout.write(`\n${line}\n`));
  }
};
