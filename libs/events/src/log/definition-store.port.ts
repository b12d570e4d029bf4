/** The bodies behind definition hashes. A body never changes under its hash. */
export interface DefinitionStore {
  /** Storing the same hash again changes nothing. Rejects with `LogUnavailable`. */
  put(namespace: string, hash: string, body: string): Promise<void>;
  get(namespace: string, hash: string): Promise<string | undefined>;
}

export class InMemoryDefinitionStore implements DefinitionStore {
  private readonly bodies = new Map<string, string>();

  async put(namespace: string, hash: string, body: string): Promise<void> {
    const key = JSON.stringify([namespace, hash]);
    if (!this.bodies.has(key)) this.bodies.set(key, body);
  }

  async get(namespace: string, hash: string): Promise<string | undefined> {
    return this.bodies.get(JSON.stringify([namespace, hash]));
  }
}
