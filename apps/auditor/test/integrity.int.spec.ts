import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Client } from 'pg';
import { eventHash, GENESIS_HASH, type RecordedEvent } from '@foldwork/events';
import { PROJECTION } from '@foldwork/read-models';
import { AnchorFileAdapter, readAnchorFile } from '../src/anchor/anchor-file.adapter';
import { anchorsAfter } from '../src/anchor/anchors-after.query';
import { verifyLog, type IntegrityReport } from '../src/integrity/verify-log';
import { auditorWorld, checkpointOf, mixedRuns, until, type AuditorWorld } from './auditor-world';

const EVERY = 25;

let world: AuditorWorld;
let folder: string;
let anchorFile: string;
beforeEach(async () => {
  world = await auditorWorld();
  folder = await mkdtemp(join(tmpdir(), 'foldwork-anchors-'));
  anchorFile = join(folder, 'anchors.jsonl');
});
afterEach(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

const anchored = async (webhook?: string): Promise<void> => {
  await world.append(mixedRuns(40));
  const head = await world.log.head();
  const wanted = Math.floor(head / EVERY);
  const auditors = [world.auditor({ anchors: { every: EVERY, file: anchorFile, ...(webhook && { webhook }) } }), world.auditor({ anchors: { every: EVERY } })];
  auditors.forEach((auditor) => auditor.start());
  await until(async () => (await readAnchorFile(anchorFile)).anchors.length === wanted, `${wanted} anchors in the file`);
  await until(async () => (await checkpointOf(world.pool, PROJECTION)) === head, 'the read models are there too');
  await Promise.all(auditors.map((auditor) => auditor.stop()));
};

/** What somebody with all rights in the database can do. */
const tamper = (work: (client: Client) => Promise<unknown>): Promise<unknown> =>
  world.owner(async (client) => {
    await client.query('ALTER TABLE events DISABLE TRIGGER ALL');
    await work(client);
    await client.query('ALTER TABLE events ENABLE TRIGGER ALL');
  });

const verify = (files: readonly string[] = [anchorFile]): Promise<IntegrityReport> =>
  verifyLog({ log: world.log, client: world.pool, anchorFiles: files });

const aTask = async (): Promise<RecordedEvent> => {
  const events = await world.log.readAfter(0, 1_000);
  return events.find(({ task, version }) => task !== '' && version === 1 && events.some((next) => next.task === task && next.version === 2))!;
};

/** Changes an event and makes the hashes of its stream fit again, as a thorough forger would. */
const forge = async (client: Client, { runId, task }: RecordedEvent): Promise<void> => {
  let previous = GENESIS_HASH;
  const events = (await world.log.readRuns([runId])).filter((event) => event.task === task);
  for (const event of events) {
    const data = event.data.replace('"attempt":1', '"attempt":2');
    previous = eventHash(previous, { ...event, data });
    await client.query(`UPDATE events SET data = $2, hash = decode($3, 'hex') WHERE position = $1`, [event.position, data, previous]);
  }
};

describe('the check of the log', () => {
  it('finds nothing wrong with what was recorded', async () => {
    await anchored();
    const report = await verify();
    expect(report.problems).toEqual([]);
    expect(report.events).toBe(await world.log.head());
    expect(report.anchors).toBe(2 * Math.floor(report.events / EVERY));
  });

  it('names the event whose content was changed', async () => {
    await anchored();
    const { position, runId, task } = await aTask();
    await tamper((client) => client.query(`UPDATE events SET data = replace(data, 'begin', 'start') WHERE position = $1`, [position]));
    expect((await verify()).problems).toContainEqual({ kind: 'hash_wrong', place: { position, runId, task, version: 1 } });
  });

  it('names the place where an event was removed', async () => {
    await anchored();
    const { position, runId, task } = await aTask();
    await tamper((client) => client.query('DELETE FROM events WHERE position = $1', [position]));
    const { problems } = await verify();
    expect(problems).toContainEqual({ kind: 'position_missing', position });
    expect(problems).toContainEqual({ kind: 'version_missing', place: expect.objectContaining({ runId, task, version: 2 }) });
  });

  it('finds a forgery that made all hashes fit, by the anchors kept outside', async () => {
    await anchored();
    const event = await aTask();
    await tamper((client) => forge(client, event));
    const sources = (await verify()).problems.map((problem) => (problem.kind === 'anchor_wrong' ? problem.source : problem.kind));
    expect(new Set(sources)).toEqual(new Set(['table anchors', anchorFile]));
    await tamper((client) => client.query('DELETE FROM anchors'));
    expect((await verify([])).problems).toEqual([]); // nothing outside: nothing to tell it by
    expect((await verify()).problems[0]).toMatchObject({ kind: 'anchor_wrong', source: anchorFile });
  });

  it('finds that the newest events were cut off', async () => {
    await anchored();
    const head = await world.log.head();
    const left = head - EVERY - 1;
    await tamper((client) => client.query('DELETE FROM events WHERE position > $1', [left]));
    const { problems } = await verify();
    expect(problems).toContainEqual({ kind: 'checkpoint_unreached', name: 'auditor', position: head, head: left });
    expect(problems).toContainEqual(expect.objectContaining({ kind: 'anchor_unreached', source: anchorFile }));
  });

  it('finds a changed anchor in the table', async () => {
    await anchored();
    await world.owner((client) => client.query(`UPDATE anchors SET root = repeat('0', 64) WHERE position = $1`, [EVERY]));
    expect((await verify()).problems).toEqual([expect.objectContaining({ kind: 'anchor_wrong', source: 'table anchors', position: EVERY })]);
  });

  it('tells of lines that are no anchors', async () => {
    await anchored();
    await appendFile(anchorFile, 'nonsense\n{"position":1,"ro');
    const line = (await readFile(anchorFile, 'utf8')).split('\n').indexOf('nonsense') + 1;
    expect((await verify()).problems).toEqual([{ kind: 'anchor_line_unreadable', source: anchorFile, line }]);
  });

  it('does not mind a line that a crash has cut, once the anchor is written whole behind it', async () => {
    await anchored();
    const text = await readFile(anchorFile, 'utf8');
    await writeFile(anchorFile, text.slice(0, -30));
    const auditor = world.auditor({ anchors: { every: EVERY, file: anchorFile } });
    auditor.start();
    await until(async () => (await readAnchorFile(anchorFile)).anchors.at(-1)?.position === Math.floor((await world.log.head()) / EVERY) * EVERY, 'the last anchor again');
    await auditor.stop();
    expect(await verify()).toMatchObject({ problems: [], anchors: 2 * Math.floor((await world.log.head()) / EVERY) });
  });

  it('finds a forgery though an anchor that fits was appended to the file', async () => {
    await anchored();
    await tamper(async (client) => {
      await forge(client, await aTask());
      await client.query('DELETE FROM anchors');
    });
    const auditor = world.auditor({ anchors: { every: EVERY } });
    auditor.start();
    const wanted = Math.floor((await world.log.head()) / EVERY);
    await until(async () => (await anchorsAfter(world.pool, 0)).length === wanted, 'anchors of the forged log');
    await auditor.stop();
    await new AnchorFileAdapter(anchorFile).write(await anchorsAfter(world.pool, 0));
    expect((await verify()).problems[0]).toMatchObject({ kind: 'anchor_wrong', source: anchorFile });
  });

  it('finds nothing wrong where auditors with other distances between anchors wrote them side by side', async () => {
    const auditors = [10, 15, 7].map((every) => world.auditor({ anchors: { every, ...(every === 10 && { file: anchorFile }) } }));
    auditors.forEach((auditor) => auditor.start());
    for (let round = 0; round < 5; round += 1) await world.append(mixedRuns(10, 1_800_000_000_000 + round * 100));
    const head = await world.log.head();
    const newest = async (): Promise<number> => (await anchorsAfter(world.pool, 0)).at(-1)?.position ?? 0;
    await until(async () => (await newest()) > head - 7, 'the last anchor');
    await until(async () => (await readAnchorFile(anchorFile)).anchors.at(-1)?.position === (await newest()), 'it in the file');
    await Promise.all(auditors.map((auditor) => auditor.stop()));
    expect((await verify()).problems).toEqual([]);
  });

  it('does not take what is appended while it reads for something that was cut off', async () => {
    await anchored();
    const grows = {
      readAfter: async (after: number, limit: number) => {
        const page = await world.log.readAfter(after, limit);
        if (page.length === 0) await world.owner((client) => client.query('UPDATE checkpoints SET position = position + 10'));
        return page;
      },
    };
    expect((await verifyLog({ log: grows, client: world.pool, anchorFiles: [] })).problems).toEqual([]);
  });

  it('has a command of its own that exits 1 when something is wrong and names it', async () => {
    await anchored();
    const { position } = await aTask();
    const run = (): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, ['dist/apps/auditor/src/verify.main.js', '--database-url', world.url, '--anchor-file', anchorFile], {
        env: { PATH: process.env['PATH'] },
      });
    expect((await run()).stdout).toContain('the log is as it was recorded');
    await tamper((client) => client.query(`UPDATE events SET data = '{}' WHERE position = $1`, [position]));
    await expect(run()).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining(`Position ${position} (run_`) });
  });
});

it('does not wait at its end for a webhook that does not answer', async () => {
  const asked = Promise.withResolvers<void>();
  const server = createServer(() => asked.resolve());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await world.append(mixedRuns(40));
  const auditor = world.auditor({ anchors: { every: EVERY, webhook: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` } });
  auditor.start();
  await asked.promise;
  const stopping = performance.now();
  await auditor.stop();
  expect(performance.now() - stopping).toBeLessThan(3_000);
  server.closeAllConnections();
  server.close();
});

it('delivers each anchor to the webhook, again after refusals, in order', async () => {
  const received: number[] = [];
  let refusals = 2;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (refusals > 0) {
        refusals -= 1;
        response.writeHead(503).end();
        return;
      }
      received.push((JSON.parse(body) as { position: number }).position);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await world.append(mixedRuns(40));
  const wanted = Math.floor((await world.log.head()) / EVERY);
  const auditor = world.auditor({ anchors: { every: EVERY, webhook: url } });
  auditor.start();
  await until(() => received.length === wanted, 'all anchors');
  await auditor.stop();
  expect(received).toEqual(Array.from({ length: wanted }, (_, index) => (index + 1) * EVERY));
  server.closeAllConnections();
  server.close();
});
