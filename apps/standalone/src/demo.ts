import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { ServerProcess, throwawayFolder } from './demo/server-process';
import { elapsed, timelineLine, type TimelineEvent } from './demo/timeline';

/**
 * The story that Foldwork exists for, on real parts: a marketplace that loses the answer to an upload it has stored, and
 * a server that is killed in the middle of another. Exits with 1 unless every image is stored exactly once.
 */
const PROJECT = resolve(__dirname, '../../../..');
const EXAMPLE = join(PROJECT, 'examples/marketplace-publish');
const IMAGES = ['front.jpg', 'side.jpg', 'back.jpg'];
const RUN_LIMIT_MS = 60_000;

interface MarketEvent {
  readonly kind: 'uploading' | 'stored' | 'stored_answer_lost';
  readonly image: string;
  readonly number: number;
}
interface Marketplace {
  readonly url: string;
  drafts(): { readonly images: { readonly image: string }[]; readonly publications?: number }[];
  on(listener: (event: MarketEvent) => void): void;
  close(): Promise<void>;
}

const say = (text = ''): void => void process.stdout.write(`${text}\n`);

const main = async (): Promise<boolean> => {
  const startedAt = Date.now();
  const marketplace = await openMarketplace();
  const folder = throwawayFolder('foldwork-demo-');
  const server = new ServerProcess(join(__dirname, 'main.js'), {
    FOLDWORK_DATA_DIR: join(folder, '.foldwork'), FOLDWORK_HTTP_PORT: '0', FOLDWORK_ACTIONS: join(EXAMPLE, 'actions.mjs'), MARKETPLACE_URL: marketplace.url, FOLDWORK_LOG_LEVEL: 'warn',
  });
  server.endWithUs();
  try {
    say('Foldwork demo: publish one listing with three images, each uploaded exactly once.\n');
    await server.start();
    say(`  ${elapsed(Date.now() - startedAt)}        server ready: embedded Postgres, embedded bus, four services`);
    return await tellStory(server, marketplace);
  } finally {
    await server.end('SIGTERM');
    await marketplace.close();
  }
};

const openMarketplace = async (): Promise<Marketplace> => {
  const { startMarketplace } = (await import(pathToFileURL(join(EXAMPLE, 'marketplace.mjs')).href)) as { startMarketplace: (options: object) => Promise<Marketplace> }; // a plain JavaScript example
  return startMarketplace({ dropAnswersTo: [2], uploadMs: 600 });
};

const tellStory = async (server: ServerProcess, marketplace: Marketplace): Promise<boolean> => {
  await call(server, 'PUT', '/workflows/marketplace.publish', readFileSync(join(EXAMPLE, 'workflow.yml'), 'utf8'), 'application/yaml');
  const { runId } = z.object({ runId: z.string() }).parse(await call(server, 'POST', '/runs', JSON.stringify({ workflow: 'marketplace.publish', input: { title: 'Desk lamp', images: IMAGES } })));
  const startedAt = Date.now();
  say(`  ${elapsed(0)}        ${runId}\n`);
  const crash = crashDuringThirdUpload(server, marketplace, startedAt);
  const status = await follow(server, runId, startedAt, crash);
  await crash.done;
  return report(marketplace, status);
};

interface Crash {
  isDown: boolean;
  readonly done: Promise<void>;
}

/** Kills the server, executor and all, while the marketplace is storing the third image; then starts it again. */
const crashDuringThirdUpload = (server: ServerProcess, marketplace: Marketplace, startedAt: number): Crash => {
  const finished = Promise.withResolvers<void>();
  const crash: Crash = { isDown: false, done: finished.promise };
  marketplace.on(({ kind, image, number }) => {
    const note = { uploading: 'receives', stored: 'has stored', stored_answer_lost: 'has stored, and LOSES THE ANSWER for' }[kind];
    say(`  ${elapsed(Date.now() - startedAt)}        … marketplace ${note} ${image}`);
    if (kind === 'uploading' && number === 3) void killAndRestart(server, crash, startedAt).then(finished.resolve, finished.reject);
  });
  return crash;
};

const killAndRestart = async (server: ServerProcess, crash: Crash, startedAt: number): Promise<void> => {
  await sleep(100);
  crash.isDown = true;
  await server.end('SIGKILL');
  say(`  ${elapsed(Date.now() - startedAt)}        ✗ kill -9: the executor is dead in the middle of an upload`);
  await sleep(700);
  await server.start();
  say(`  ${elapsed(Date.now() - startedAt)}        ✓ started again; the log is all it needs`);
  crash.isDown = false;
};

const eventPage = z.object({ events: z.array(z.custom<TimelineEvent>()), next: z.string() });
const summary = z.object({ status: z.string() });

/** Prints events as they come until the run has ended. */
const follow = async (server: ServerProcess, runId: string, startedAt: number, crash: Crash): Promise<string> => {
  const deadline = Date.now() + RUN_LIMIT_MS;
  for (let after = '0'; Date.now() < deadline; await sleep(50)) {
    if (crash.isDown) continue;
    const page = await call(server, 'GET', `/runs/${runId}/events?after=${after}`).then(eventPage.parse, () => undefined);
    for (const event of page?.events ?? []) {
      const line = timelineLine(event, startedAt);
      if (line !== undefined) say(line);
      if (event.type === 'RunCompleted') return summary.parse(await call(server, 'GET', `/runs/${runId}`)).status;
    }
    after = page?.next ?? after;
  }
  return 'unfinished';
};

const report = (marketplace: Marketplace, status: string): boolean => {
  const [draft] = marketplace.drafts();
  const counts = IMAGES.map((image) => draft?.images.filter((stored) => stored.image === image).length ?? 0);
  say(`\nRun: ${status}. What the marketplace holds:`);
  IMAGES.forEach((image, index) => say(`  ${image.padEnd(10)} stored ${counts[index]} time${counts[index] === 1 ? '' : 's'}`));
  say(`  listing    published ${draft?.publications ?? 0} time${draft?.publications === 1 ? '' : 's'}\n`);
  const isRight = status === 'succeeded' && counts.every((count) => count === 1) && draft?.publications === 1;
  say(isRight ? 'Each image exactly once, though one answer was lost and the server was killed.' : 'THIS IS WRONG: something was lost or done twice.');
  return isRight;
};

const call = async (server: ServerProcess, method: string, path: string, body?: string, contentType = 'application/json'): Promise<unknown> => {
  const headers = { authorization: `Bearer ${server.key()}`, ...(body !== undefined && { 'content-type': contentType }) };
  const response = await fetch(`${server.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
};

main().then(
  (isRight) => process.exit(isRight ? 0 : 1),
  (error: unknown) => {
    if (process.exitCode !== undefined) return; // interrupted
    process.stderr.write(`the demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
