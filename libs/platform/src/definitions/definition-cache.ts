import { LRUCache } from 'lru-cache';
import { parseJson, type DefinitionHash, type DefinitionStore } from '@foldwork/events';
import { compileDefinition, type CompiledDefinition, type Definition } from '@foldwork/domain';

const DEFINITIONS_MAX = 500;

/** Compiled definitions by hash. A hash names one content for ever, so nothing here can become stale. */
export class DefinitionCache {
  private readonly compiled = new LRUCache<string, CompiledDefinition>({ max: DEFINITIONS_MAX });
  private readonly loading = new Map<string, Promise<CompiledDefinition>>();

  constructor(private readonly store: DefinitionStore) {}

  peek(hash: DefinitionHash): CompiledDefinition | undefined {
    return this.compiled.get(hash);
  }

  /** Rejects with `LogUnavailable`, or with `DefinitionMissing` when the log names a definition that nobody stored. */
  async get(namespace: string, hash: DefinitionHash): Promise<CompiledDefinition> {
    const known = this.compiled.get(hash) ?? this.loading.get(hash);
    if (known !== undefined) return known;
    const loading = this.load(namespace, hash).finally(() => this.loading.delete(hash));
    this.loading.set(hash, loading);
    return loading;
  }

  private async load(namespace: string, hash: DefinitionHash): Promise<CompiledDefinition> {
    const body = await this.store.get(namespace, hash);
    if (body === undefined) throw new DefinitionMissing(hash);
    // the gateway checked it before it was stored
    const compiled = compileDefinition(parseJson(body) as unknown as Definition, hash);
    this.compiled.set(hash, compiled);
    return compiled;
  }
}

export class DefinitionMissing extends Error {
  constructor(readonly hash: DefinitionHash) {
    super(`no definition is stored under ${hash}`);
    this.name = 'DefinitionMissing';
  }
}
