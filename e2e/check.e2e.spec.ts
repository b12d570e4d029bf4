import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WORKSPACE } from './harness/service';
import { System } from './harness/system';
import { Workflows } from './harness/workflows';

let folder: string;
let system: System;
let flows: Workflows;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foldwork-check-'));
  system = await System.start({ env: { FOLDWORK_RUN_RETRY_MAXIMUM: '0' } });
  flows = new Workflows(system);
}, 60_000);
afterAll(async () => {
  await system?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

interface Report {
  readonly code: number;
  readonly text: string;
}

/** The command, in a process of its own; `changed`: by a release whose rule of `aggregate` is another. */
const check = async (options: readonly string[], changed = false): Promise<Report> => {
  const env = { PATH: process.env['PATH'], FOLDWORK_DATABASE_URL: system.databaseUrl, ...(changed && { NODE_OPTIONS: `--require ${join(__dirname, 'harness/changed-aggregate.process.cjs')}` }) };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [join(WORKSPACE, 'dist/apps/planner/src/check.main.js'), ...options], { env });
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }; // what execFile rejects with
    return { code, text: stdout + stderr };
  }
};
const named = ({ text }: Report): string[] => (JSON.parse(text) as { differences: { runId: string; kind: string; workflow: string }[] }).differences.map(({ runId, kind, workflow }) => `${runId} ${workflow} ${kind}`).toSorted();

const SUM = (name: string, tasks = ''): string => `workflow: ${name}\ntasks:\n${tasks}  - { id: sum, type: aggregate, concat: { sources: [[1], [2]] } }`;

describe('check', () => {
  it('[S3-58] replays what the services have written: nothing differs for this release, each run that would differ is named for another', async () => {
    const whole = await flows.play(SUM('check.sum'));
    const failed = await flows.play(SUM('check.failed', '  - { id: work, type: basic, action: world.call, retry: { maximumAttempts: 2, initialInterval: 10ms }, with: { failFirst: 9 }, onError: { next: sum } }\n'));
    const nested = await flows.play('workflow: check.nested\ntasks:\n  - id: both\n    type: parallel\n    tasks:\n      - { id: a, type: basic, action: world.call }\n      - { id: b, type: aggregate, concat: { sources: [[1]] } }');
    const parent = await flows.play('workflow: check.parent\ntasks:\n  - { id: sub, type: composite, workflow: check.sum }');
    const child = await flows.runOf('check.sum', whole.runId);
    await flows.play('workflow: check.other\ntasks:\n  - { id: a, type: basic, action: world.call }\n  - { id: b, type: collection, items: 1..3, each: { id: one, type: basic, action: world.call } }');
    const waiting = await flows.start(SUM('check.waiting', '  - { id: hold, type: wait, waitFor: go, timeout: 5m }\n'));
    await flows.taskIs(waiting, 'hold', 'waiting');
    expect([whole, failed, nested, parent].map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded']);

    const file = join(folder, 'log.jsonl');
    expect((await check(['--export', file])).code).toBe(0);
    const sources = [[], ['--file', file]];
    for (const source of sources) {
      const same = await check([...source, '--json']);
      expect([same.code, named(same), (JSON.parse(same.text) as { runs: number }).runs]).toEqual([0, [], 7]);
      const other = await check([...source, '--json'], true);
      const differing = [[whole.runId, 'check.sum'], [failed.runId, 'check.failed'], [nested.runId, 'check.nested'], [child, 'check.sum']];
      expect([other.code, named(other)]).toEqual([1, differing.map(([run, workflow]) => `${run} ${workflow} decides_otherwise`).toSorted()]);
    }
    const { text } = await check(['--file', file], true);
    expect(text).toContain('7 runs');
    expect(text).toContain(`${whole.runId} (check.sum) at position`);
  });

  it('[S3-58] a file that is no exported log is refused with the line', async () => {
    expect(await check(['--file', join(WORKSPACE, 'package.json')])).toEqual({ code: 1, text: 'line 1 is not of an exported log\n' });
  });
});
