import { compileDefinition, type CompiledDefinition, type Definition } from '@foldwork/domain';
import { parseJson, stringifyJson, type DefinitionHash, type DefinitionStore, type Json } from '@foldwork/events';
import { invalidContent } from '@foldwork/platform/http';
import { LRUCache } from 'lru-cache';
import { requestHash } from '../submission/request-hash';
import { faultOfDiagnostic, type DefinitionCheck } from './definition-check';

const CACHED_MAX = 1_000;

/** Definitions by hash, compiled once while they are in use. Bodies never change under their hash, so nothing expires. */
export class DefinitionCatalog {
  private readonly compiled = new LRUCache<string, Promise<CompiledDefinition | undefined>>({ max: CACHED_MAX });
  private readonly inline = new LRUCache<string, DefinitionHash>({ max: CACHED_MAX });

  constructor(private readonly store: DefinitionStore, private readonly definitions: DefinitionCheck) {}

  /** `undefined`: nobody stored it in this namespace. Rejects with `LogUnavailable`. */
  get(namespace: string, hash: DefinitionHash): Promise<CompiledDefinition | undefined> {
    const key = `${namespace}\n${hash}`;
    const known = this.compiled.get(key);
    if (known !== undefined) return known;
    const loading = this.load(namespace, hash);
    this.compiled.set(key, loading);
    loading.then((found) => found ?? this.compiled.delete(key), () => this.compiled.delete(key));
    return loading;
  }

  /** Stores a definition that was checked. Again: nothing happens. */
  async put(namespace: string, hash: DefinitionHash, definition: Definition): Promise<CompiledDefinition> {
    const compiled = compileDefinition(definition, hash);
    await this.store.put(namespace, hash, stringifyJson(definition));
    this.compiled.set(`${namespace}\n${hash}`, Promise.resolve(compiled));
    return compiled;
  }

  /** A definition that came with a run: checked and stored at its first use. Throws 422 with all its faults. */
  async acceptInline(namespace: string, value: Json): Promise<CompiledDefinition> {
    const key = `${namespace}\n${requestHash(value)}`;
    const known = this.inline.get(key);
    const ready = known && (await this.get(namespace, known));
    if (ready !== undefined) return ready;
    const checked = await this.definitions.check({ value });
    if (!checked.ok) throw invalidContent(checked.diagnostics.map((each) => faultOfDiagnostic(each, '/definition')));
    const compiled = await this.put(namespace, checked.hash, checked.definition);
    this.inline.set(key, checked.hash);
    return compiled;
  }

  private async load(namespace: string, hash: DefinitionHash): Promise<CompiledDefinition | undefined> {
    const body = await this.store.get(namespace, hash);
    return body === undefined ? undefined : compileDefinition(parseJson(body) as unknown as Definition, hash); // stored by `put` only
  }
}
