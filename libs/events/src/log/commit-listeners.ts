import type { Commit } from './event-log.port';

/** A listener that throws is reported and harms neither the append nor the other listeners. */
export class CommitListeners {
  private readonly listeners = new Set<(commit: Commit) => void>();

  constructor(private readonly onError: (error: unknown) => void) {}

  add(listener: (commit: Commit) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(commit: Commit): void {
    for (const listener of this.listeners) {
      try {
        listener(commit);
      } catch (error) {
        this.onError(error);
      }
    }
  }
}
