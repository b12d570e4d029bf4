import type { CheckpointStore } from './checkpoint-store.port';
import type { LogCursor } from './log-subscription.consumer';

/**
 * A cursor in a checkpoint store, written at most once per interval: what is handled again after a crash is bounded by
 * it, what it costs is one small commit per interval. 0 saves after every batch.
 */
export const savedCursor = (checkpoints: CheckpointStore, name: string, saveIntervalMs = 0): LogCursor => {
  let savedAt = -Infinity;
  return {
    load: () => checkpoints.load(name),
    save: async (position) => {
      const now = performance.now();
      if (now - savedAt < saveIntervalMs) return;
      await checkpoints.save(name, position);
      savedAt = now;
    },
  };
};
