import { randomUUID } from 'node:crypto';
import { openEvent, parseJson, RUN_STREAM, stringifyJson, taskPath, type NewEvent, type RunId } from '../contracts';
import type { CheckpointStore } from './checkpoint-store.port';
import type { DefinitionStore } from './definition-store.port';
import { aRunId, anEvent } from './event-log.fixtures';
import { eventHash, GENESIS_HASH } from './event-hash';
import { EventRefused, type Commit, type EventLog } from './event-log.port';

export interface EventLogUnderTest {
  readonly log: EventLog;
  readonly checkpoints: CheckpointStore;
  readonly definitions: DefinitionStore;
  close(): Promise<void>;
}

/** One suite for every adapter of the log. Numbers in brackets are the invariants of EventLog. */
export const describeEventLog = (name: string, open: () => Promise<EventLogUnderTest>): void => {
  describe(`event log: ${name}`, () => {
    let opened: EventLogUnderTest;
    let log: EventLog;
    beforeAll(async () => {
      opened = await open();
      log = opened.log;
    });
    afterAll(() => opened.close());

    it('[S3-03] gives appended events back in order of position, byte for byte', async () => {
      const runId = aRunId();
      const before = await log.head();
      const events = [anEvent(runId, 'a'), anEvent(runId, 'b', 1, { decide: true }), anEvent(runId, '', 1, { metadata: '{ "actor" : "é" }' })];
      expect(await log.append(events)).toEqual({ status: 'ok', lastPosition: before + 3 });
      const read = await log.readAfter(before, 10);
      expect(read.map(({ position }) => position)).toEqual([before + 1, before + 2, before + 3]);
      expect(read).toMatchObject(events);
      expect(Math.abs((read[0]?.recordedAt ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(await log.head()).toBe(before + 3);
    });

    it('[S3-03] answers conflict for a version that is taken by other content, and changes nothing (2)', async () => {
      const runId = aRunId();
      await log.append([anEvent(runId)]);
      const head = await log.head();
      expect(await log.append([anEvent(runId, 'upload', 1, { data: '{"other":true}' })])).toEqual({ status: 'conflict' });
      expect(await log.append([anEvent(runId, 'other'), anEvent(runId, 'upload', 3)])).toEqual({ status: 'conflict' });
      expect(await log.head()).toBe(head);
    });

    it('answers conflict for a version whose predecessor is missing (2)', async () => {
      expect(await log.append([anEvent(aRunId(), 'upload', 2)])).toEqual({ status: 'conflict' });
    });

    it('answers duplicate for the same append again, and changes nothing (5)', async () => {
      const runId = aRunId();
      const events = [anEvent(runId, 'a'), anEvent(runId, 'b')];
      await log.append(events);
      const head = await log.head();
      expect(await log.append(events)).toEqual({ status: 'duplicate' });
      expect(await log.append([anEvent(runId, 'a')])).toEqual({ status: 'duplicate' });
      expect(await log.append([...events, anEvent(runId, 'c')])).toEqual({ status: 'conflict' });
      expect(await log.head()).toBe(head);
    });

    it('answers each of many appends in flight for itself (6)', async () => {
      const [first, second] = [aRunId(), aRunId()];
      await log.append([anEvent(first)]);
      const outcomes = await Promise.all([
        log.append([anEvent(second, 'a')]),
        log.append([anEvent(first)]),
        log.append([anEvent(first, 'upload', 1, { data: '{}' })]),
        log.append([anEvent(second, 'b'), anEvent(second, 'a', 3)]),
        log.append([anEvent(second, 'a')]),
        log.append([anEvent(second, 'a', 2), anEvent(second, 'a', 3)]),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['ok', 'duplicate', 'conflict', 'conflict', 'duplicate', 'ok']);
    });

    it('takes several events of one stream in one append, chained (2)', async () => {
      const runId = aRunId();
      await log.append([1, 2, 3].map((version) => anEvent(runId, 'a', version)));
      const read = await log.readRuns([runId]);
      let previous = GENESIS_HASH;
      for (const event of read) expect(event.hash).toBe((previous = eventHash(previous, event)));
      expect(read.map(({ version }) => version)).toEqual([1, 2, 3]);
    });

    it('lets exactly one of many claims of a version win', async () => {
      const runId = aRunId();
      const claims = Array.from({ length: 20 }, (_, index) => log.append([anEvent(runId, 'a', 1, { data: `{"executor":${index}}` })]));
      const statuses = (await Promise.all(claims)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 'ok')).toHaveLength(1);
      expect(statuses.filter((status) => status === 'conflict')).toHaveLength(19);
    });

    it('[S3-03] knows nothing of a missing stream', async () => {
      const runId = aRunId();
      expect(await log.readLast(runId, 'upload')).toBeUndefined();
      expect(await log.readRuns([runId])).toEqual([]);
      expect(await log.readRuns([])).toEqual([]);
      expect(await log.readAfter(await log.head(), 5)).toEqual([]);
    });

    it('reads the newest event of a stream, and runs from a position on', async () => {
      const [first, second] = [aRunId(), aRunId()];
      await log.append([anEvent(first, 'a'), anEvent(second, 'a'), anEvent(first, 'a', 2), anEvent(first, 'b')]);
      const head = await log.head();
      expect(await log.readLast(first, 'a')).toMatchObject({ version: 2, position: head - 1 });
      const positions = async (...read: Parameters<EventLog['readRuns']>) => (await log.readRuns(...read)).map(({ position }) => position);
      expect(await positions([second, first])).toEqual([head - 3, head - 2, head - 1, head]);
      expect(await positions([first, first], head - 3)).toEqual([head - 1, head]);
      expect((await log.readAfter(head - 4, 2)).map(({ position }) => position)).toEqual([head - 3, head - 2]);
    });

    it('[S3-03] keeps JSON equal: exact numbers, every script, quotes, backslashes, nesting', async () => {
      const runId = aRunId();
      const value = { exact: parseJson('12345678901234567890.123456789'), text: 'ä€𝄞"\\\n\t\u2028\u0001 {1,NULL}', list: [[], {}, null, false, -0.5, 1e300] };
      const event = anEvent(runId, 'ünï/côde[3]#2', 1, { data: stringifyJson(value), type: 'SideEffectRecorded' });
      await log.append([event]);
      const read = await log.readLast(runId, event.task);
      expect(read?.data).toBe(event.data);
      expect(read && openEvent(read).data).toEqual(value);
      expect(read?.hash).toBe(eventHash(GENESIS_HASH, event));
    });

    it.each([
      ['U+0000', { data: '{"a":"\\u0000"}' }],
      ['a raw U+0000', { data: '{"a":"\0"}' }],
      ['a lone surrogate', { data: '{"a":"\\ud800"}' }],
      ['a raw lone surrogate', { data: '{"a":"\udc00"}' }],
      ['a reversed pair', { data: '{"a":"\\udc00\\ud800"}' }],
      ['a number beyond a double', { data: '{"a":1e400}' }],
      ['a negative number beyond a double', { data: '{"a":[1, -1.5E+0400]}' }],
      ['a number of 310 digits', { data: `{"a":${'9'.repeat(310)}}` }],
      ['a number of 250 digits and an exponent of two', { data: `{"a":${'9'.repeat(250)}e90}` }],
      ['nesting deeper than 64', { data: `{"a":${'['.repeat(64)}${']'.repeat(64)}}` }],
      ['data that is no object', { data: '7' }],
      ['a namespace of 129 bytes', { namespace: 'é'.repeat(64) + 'n' }],
      ['a task of 1,025 bytes', { task: taskPath('t'.repeat(1025)) }],
      ['a task with a lone surrogate', { task: taskPath('\ud800') }],
      ['version 0', { version: 0 }],
      ['version 2^31', { version: 2 ** 31 }],
      ['a run id that is no UUID', { runId: 'run_1' as RunId }],
      ['9 MiB of data', { data: `{"a":"${'x'.repeat(9 * 1024 * 1024)}"}` }],
    ] satisfies [string, Partial<NewEvent>][])('refuses %s, and the neighbours go through (6)', async (_what, fault) => {
      const [good, bad] = [aRunId(), aRunId()];
      const answers = await Promise.allSettled([log.append([anEvent(good, 'a')]), log.append([anEvent(bad, 'a', 1, fault)]), log.append([anEvent(good, 'b')])]);
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(answers[1]).toMatchObject({ reason: expect.any(EventRefused) });
    });

    it('accepts what only looks like a fault', async () => {
      const data = stringifyJson({ a: '\\u0000', b: '😀', c: ':1e400', id: '0198c1e4-51e4-71e9-91e9-01e999999999', small: 5e-324, large: 1.7e308, d: `${'['.repeat(100)}"{{`, e: Array.from({ length: 100 }, () => ({})) });
      const escaped = `{"smile":"\\ud83d\\ude00"}`;
      const runId = aRunId();
      expect(await log.append([anEvent(runId, 'a', 1, { data }), anEvent(runId, 'b', 1, { data: escaped }), anEvent(runId, 'c', 1, { data: `{"a":${'['.repeat(63)}${']'.repeat(63)}}` })])).toMatchObject({ status: 'ok' });
    });

    it('appends what was prepared when it is told to, each with its own answer', async () => {
      const taken = aRunId();
      await log.append([anEvent(taken)]);
      const head = await log.head();
      const [first, last] = [aRunId(), aRunId()];
      const send = log.prepare([[anEvent(first, 'a'), anEvent(first, 'b')], [anEvent(taken, 'upload', 1, { data: '{"other":true}' })], [anEvent(last, 'a', 1, { data: 'no object' })], [anEvent(last)], []]);
      expect(await log.append([anEvent(taken)])).toEqual({ status: 'duplicate' });
      expect(await log.head()).toBe(head);
      const answers = await Promise.allSettled(send());
      expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : (answer.reason as EventRefused).code))).toEqual([
        { status: 'ok', lastPosition: head + 2 }, { status: 'conflict' }, 'JSON_NOT_OBJECT', { status: 'ok', lastPosition: head + 3 }, 'APPEND_EMPTY',
      ]);
      expect((await log.readRuns([first, last])).map(({ task }) => task)).toEqual(['a', 'b', 'upload']);
    });

    it('refuses an empty append', async () => {
      await expect(log.append([])).rejects.toBeInstanceOf(EventRefused);
    });

    it('tells its listeners of each commit and whether a planner has to look', async () => {
      const commits: Commit[] = [];
      const stop = log.onCommit((commit) => commits.push(commit));
      await log.append([anEvent(aRunId())]);
      const asked = anEvent(aRunId(), RUN_STREAM, 1, { decide: true });
      await log.append([asked]);
      const head = await log.head();
      stop();
      await log.append([anEvent(aRunId())]);
      expect(commits).toEqual([{ lastPosition: head - 1, decide: false }, { lastPosition: head, decide: true, deciding: [{ ...asked, position: head }] }]);
    });

    it('tells what a small commit asks to decide, each event at its place', async () => {
      const commits: Commit[] = [];
      const stop = log.onCommit((commit) => commits.push(commit));
      const [runId, before] = [aRunId(), await log.head()];
      const asked = anEvent(runId, RUN_STREAM, 1, { decide: true });
      await log.append([anEvent(runId, 'a'), asked, anEvent(runId, 'b')]);
      await log.append(Array.from({ length: 100 }, () => anEvent(aRunId(), RUN_STREAM, 1, { decide: true })));
      stop();
      expect(commits).toEqual([
        { lastPosition: before + 3, decide: true, deciding: [{ ...asked, position: before + 2 }] },
        { lastPosition: before + 103, decide: true },
      ]);
      expect(await log.readAfter(before + 1, 1)).toMatchObject(commits[0]?.deciding ?? []);
    });

    it('keeps its epoch', async () => {
      expect(await log.epoch()).toMatch(/^[0-9a-f-]{36}$/);
      expect(await log.epoch()).toBe(await log.epoch());
    });

    it('[S3-03] keeps checkpoints, which only move forward', async () => {
      const { checkpoints } = opened;
      const name = `planner-${randomUUID()}`;
      expect(await checkpoints.load(name)).toBe(0);
      await checkpoints.save(name, 7);
      await checkpoints.save(name, 5);
      expect(await checkpoints.load(name)).toBe(7);
      await checkpoints.clear(name);
      expect(await checkpoints.load(name)).toBe(0);
    });

    it('keeps definitions by namespace and hash, and never replaces a body', async () => {
      const { definitions } = opened;
      const hash = randomUUID();
      expect(await definitions.get('default', hash)).toBeUndefined();
      await definitions.put('default', hash, '{"first":1}');
      await definitions.put('default', hash, '{"second":2}');
      expect(await definitions.get('default', hash)).toBe('{"first":1}');
      expect(await definitions.get('other', hash)).toBeUndefined();
    });
  });
};
