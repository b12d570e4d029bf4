/** Where log subscriptions keep how far they are. Positions only move forward, unless a subscription is rewound. */
export interface CheckpointStore {
  /** Position of the last event the subscription is done with; 0 for an unknown name or a checkpoint of another epoch. */
  load(name: string): Promise<number>;
  /** Never moves a checkpoint of the same epoch back: a late writer loses. Rejects with `LogUnavailable`. */
  save(name: string, position: number): Promise<void>;
  /** Forgets the checkpoint, so that the subscription starts over. */
  clear(name: string): Promise<void>;
}

export class InMemoryCheckpointStore implements CheckpointStore {
  private readonly positions = new Map<string, number>();

  async load(name: string): Promise<number> {
    return this.positions.get(name) ?? 0;
  }

  async save(name: string, position: number): Promise<void> {
    this.positions.set(name, Math.max(position, this.positions.get(name) ?? 0));
  }

  async clear(name: string): Promise<void> {
    this.positions.delete(name);
  }
}
