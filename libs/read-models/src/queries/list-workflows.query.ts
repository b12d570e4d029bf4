import type { DefinitionHash } from '@foldwork/events/contracts';
import type { SqlClient } from './sql-client';

export interface WorkflowSummary {
  readonly name: string;
  readonly namespace: string;
  /** Hash of the definition that new runs get. */
  readonly live?: DefinitionHash;
  readonly labels: { readonly [label: string]: DefinitionHash };
  /** When a label last moved, milliseconds since 1970. */
  readonly publishedAt: number;
}

interface WorkflowRow {
  readonly namespace: string;
  readonly name: string;
  readonly live_hash: DefinitionHash | null;
  readonly labels: { readonly [label: string]: DefinitionHash };
  readonly published_at: Date;
}

/** The namespace's workflows by name; with `name`, that one only. */
export const listWorkflows = async (client: SqlClient, namespace: string, name?: string): Promise<WorkflowSummary[]> => {
  const { rows } = await client.query<WorkflowRow>({
    text: `SELECT namespace, name, live_hash, labels, published_at FROM read_models.workflows
      WHERE namespace = $1 AND ($2::text IS NULL OR name = $2) ORDER BY name`,
    values: [namespace, name],
  });
  return rows.map(({ live_hash: live, published_at: publishedAt, ...row }) => ({
    namespace: row.namespace,
    name: row.name,
    labels: row.labels,
    publishedAt: publishedAt.getTime(),
    ...(live === null ? {} : { live }),
  }));
};
