import { newEvent, openEvent, RUN_STREAM, type DefinitionHash, type EventLog, type EventMetadata, type RecordedEvent, type RunId } from '@foldwork/events';
import { LRUCache } from 'lru-cache';
import { conflict } from '../http/problem';
import { workflowStreamId } from './deterministic-run-id';

export interface Publication {
  readonly version: number;
  readonly definition: DefinitionHash;
  readonly labels: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly actor: string;
}

export interface PublishedWorkflow {
  /** Newest last. */
  readonly publications: readonly Publication[];
  readonly labels: ReadonlyMap<string, DefinitionHash>;
}

const NEVER_PUBLISHED: PublishedWorkflow = { publications: [], labels: new Map() };
export const LIVE = 'live';
/** How long another gateway may go on with a label's old place; this one knows its own publications at once. */
const TTL_MS = 1_000;
const PUBLISH_TRIES_MAX = 5;

/**
 * Which definition a workflow's labels point at. The truth is a stream of `WorkflowPublished` events per workflow; what
 * was read is remembered for a second, and requests that miss it together share one read.
 */
export class WorkflowRegistry {
  private readonly known = new LRUCache<string, Promise<PublishedWorkflow>>({ max: 10_000, ttl: TTL_MS });

  constructor(private readonly log: EventLog, private readonly now: () => number) {}

  /** `name` means its label `live`, `name@label` another one. Rejects with `LogUnavailable`. */
  async resolve(namespace: string, reference: string): Promise<DefinitionHash | undefined> {
    const [name = '', label = LIVE] = reference.split('@');
    return (await this.find(namespace, name, label)).labels.get(label);
  }

  /** That there is no such label is never taken from memory: another gateway may have published it just now. */
  async find(namespace: string, name: string, label = LIVE): Promise<PublishedWorkflow> {
    const key = `${namespace}\n${name}`;
    const known = await this.known.get(key);
    if (known?.labels.has(label) === true) return known;
    const reading = this.read(namespace, name);
    this.known.set(key, reading);
    reading.catch(() => this.known.delete(key));
    return reading;
  }

  /** Points the labels at the definition. Resolves to `false` when they all did already. */
  async publish(source: { namespace: string; name: string; metadata: EventMetadata }, definition: DefinitionHash, { labels, triggers }: { readonly labels: readonly string[]; readonly triggers: readonly string[] }): Promise<boolean> {
    const { namespace, name, metadata } = source;
    const runId = workflowStreamId(namespace, name);
    for (let tries = 0; tries < PUBLISH_TRIES_MAX; tries += 1) {
      const present = await this.read(namespace, name);
      if (labels.every((label) => present.labels.get(label) === definition)) return false;
      const data = { workflow: name, definition, labels, at: this.now(), ...(triggers.length > 0 && { triggers }) };
      const event = newEvent({ runId, namespace, metadata }, RUN_STREAM, present.publications.length + 1, { type: 'WorkflowPublished', data }, false);
      const { status } = await this.log.append([event]);
      this.known.delete(`${namespace}\n${name}`);
      if (status !== 'conflict') return true;
    }
    throw conflict('publish_contended', `Others keep publishing ${name} at this moment.`, 'Send the request again.');
  }

  private async read(namespace: string, name: string): Promise<PublishedWorkflow> {
    const runId: RunId = workflowStreamId(namespace, name);
    const events = (await this.log.readRuns([runId])).filter((event) => event.namespace === namespace);
    return events.length === 0 ? NEVER_PUBLISHED : published(events);
  }
}

const published = (events: readonly RecordedEvent[]): PublishedWorkflow => {
  const publications = events.flatMap((recorded) => {
    const event = openEvent(recorded);
    if (event.type !== 'WorkflowPublished') return [];
    const { definition, labels, at } = event.data;
    return [{ version: recorded.version, definition, labels, at, actor: actorOf(recorded) }];
  });
  const labels = new Map(publications.flatMap((each) => each.labels.map((label) => [label, each.definition] as const)));
  return { publications, labels };
};

const actorOf = ({ metadata }: RecordedEvent): string => (JSON.parse(metadata) as { actor?: string }).actor ?? ''; // written by newEvent
