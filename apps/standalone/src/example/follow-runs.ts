import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { timelineLine, type TimelineEvent } from '../demo/timeline';
import type { ExampleApi } from './example-api';

const eventPage = z.object({ events: z.array(z.custom<TimelineEvent>()), next: z.string() });
const POLL_MS = 50;

/** Says what happens to the runs of an example until it is stopped; what happened up to then is said to the end. */
export const followRuns = (api: ExampleApi, say: (text: string) => void): { stop(): Promise<void> } => {
  const startedAt = Date.now();
  const cursors = new Map<string, string>();
  let isStopped = false;

  const sayNews = async (): Promise<void> => {
    for (const [runId, label] of api.started) {
      const page = eventPage.parse(await api.call('GET', `/runs/${runId}/events?after=${cursors.get(runId) ?? '0'}`));
      for (const event of page.events) {
        const line = timelineLine(event, startedAt);
        if (line !== undefined) say(`${line.slice(0, 18)}${label}: ${line.slice(18)}`);
      }
      cursors.set(runId, page.next);
    }
  };
  const follow = async (): Promise<void> => {
    while (!isStopped) {
      await sayNews();
      await sleep(POLL_MS);
    }
    await sayNews();
  };
  const following = follow().catch((error: unknown) => say(`  (the timeline ended: ${error instanceof Error ? error.message : String(error)})`));
  return {
    stop: async () => {
      isStopped = true;
      await following;
    },
  };
};
