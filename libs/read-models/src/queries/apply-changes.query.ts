import type { ReadModelChanges, RunChange, WorkflowChange } from '../projections/run-change';
import type { SqlClient } from './sql-client';

export interface ProjectionStep {
  /** Name of the checkpoint that moves with the rows. */
  readonly checkpoint: string;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly changes: ReadModelChanges;
}

/**
 * Applies a batch and moves the checkpoint, in one statement: both or neither. Resolves to false, with nothing changed,
 * when the checkpoint was not at `from` in this epoch any more because another auditor was faster.
 */
export const applyChanges = async (client: SqlClient, schema: string, step: ProjectionStep): Promise<boolean> => {
  const { runs, workflows } = step.changes;
  const withWorkflows = workflows.length > 0;
  const { rows } = await client.query<{ moved: number }>({
    name: `apply-changes-${schema}${withWorkflows ? '-workflows' : ''}`,
    text: withWorkflows ? statement(schema, WORKFLOWS(schema)) : statement(schema, ''),
    values: [step.checkpoint, step.from, step.to, step.epoch, ...columns(RUN_COLUMNS, runs), ...(withWorkflows ? columns(WORKFLOW_COLUMNS, workflows) : [])],
  });
  return rows.length === 1;
};

interface ColumnOf<T> {
  readonly type: string;
  readonly value: (row: T) => unknown;
}

const RUN_COLUMNS = {
  run_id: { type: 'uuid', value: (run) => run.runId },
  namespace: { type: 'text', value: (run) => run.birth?.namespace },
  workflow: { type: 'text', value: (run) => run.birth?.workflow },
  service: { type: 'text', value: (run) => run.birth?.service },
  requested_ms: { type: 'float8', value: (run) => run.birth?.requestedAt },
  input_excerpt: { type: 'text', value: (run) => run.birth?.inputExcerpt },
  status: { type: 'text', value: (run) => run.status?.status },
  finished_ms: { type: 'float8', value: (run) => run.status?.finishedAt },
  error_code: { type: 'text', value: (run) => run.status?.error?.code },
  error_message: { type: 'text', value: (run) => run.status?.error?.message },
  started_ms: { type: 'float8', value: (run) => run.startedAt },
  attempt: { type: 'int4', value: (run) => run.attempt },
  total: { type: 'int4', value: (run) => run.tasks.total },
  active: { type: 'int4', value: (run) => run.tasks.active },
  completed: { type: 'int4', value: (run) => run.tasks.completed },
  failed: { type: 'int4', value: (run) => run.tasks.failed },
  skipped: { type: 'int4', value: (run) => run.tasks.skipped },
  canceled: { type: 'int4', value: (run) => run.tasks.canceled },
  events: { type: 'int4', value: (run) => run.events },
  position: { type: 'int8', value: (run) => run.position },
} satisfies Record<string, ColumnOf<RunChange>>;

const WORKFLOW_COLUMNS = {
  namespace: { type: 'text', value: (workflow) => workflow.namespace },
  name: { type: 'text', value: (workflow) => workflow.name },
  labels: { type: 'text', value: (workflow) => JSON.stringify(workflow.labels) },
  published_ms: { type: 'float8', value: (workflow) => workflow.publishedAt },
  position: { type: 'int8', value: (workflow) => workflow.position },
} satisfies Record<string, ColumnOf<WorkflowChange>>;

const columns = <T>(of: Record<string, ColumnOf<T>>, rows: readonly T[]): unknown[][] =>
  Object.values(of).map(({ value }) => rows.map((row) => value(row) ?? null));

/** `unnest($5::uuid[], …) AS given(run_id, …)`, the first array being parameter number `first`. */
const given = <T>(of: Record<string, ColumnOf<T>>, first: number): string => {
  const arrays = Object.values(of).map(({ type }, index) => `$${first + index}::${type}[]`);
  return `unnest(${arrays.join(', ')}) AS given(${Object.keys(of).join(', ')})`;
};

const FIRST_RUN_PARAMETER = 5;
const FIRST_WORKFLOW_PARAMETER = FIRST_RUN_PARAMETER + Object.keys(RUN_COLUMNS).length;

const at = (milliseconds: string): string => `to_timestamp(${milliseconds} / 1000)`;

const statement = (schema: string, workflows: string): string => `
  WITH moved AS (
    UPDATE public.checkpoints SET position = $3, updated_at = now()
    WHERE name = $1 AND position = $2 AND epoch = $4 RETURNING 1 AS moved
  ), given AS MATERIALIZED (
    SELECT given.* FROM moved, ${given(RUN_COLUMNS, FIRST_RUN_PARAMETER)}
  ), born AS (
    INSERT INTO ${schema}.runs (run_id, namespace, workflow, service, status, attempt, requested_at, started_at, finished_at,
      error_code, error_message, input_excerpt, tasks_total, tasks_active, tasks_completed, tasks_failed, tasks_skipped,
      tasks_canceled, events, position)
    SELECT run_id, namespace, workflow, service, status, coalesce(attempt, 1), ${at('requested_ms')}, ${at('started_ms')}, ${at('finished_ms')},
      error_code, error_message, input_excerpt, total, active, completed, failed, skipped, canceled, events, position
    FROM given WHERE requested_ms IS NOT NULL
  ), changed AS (
    UPDATE ${schema}.runs AS run SET
      status = coalesce(given.status, run.status),
      attempt = coalesce(given.attempt, run.attempt),
      started_at = coalesce(${at('given.started_ms')}, run.started_at),
      finished_at = CASE WHEN given.status IS NULL THEN run.finished_at ELSE ${at('given.finished_ms')} END,
      error_code = CASE WHEN given.status IS NULL THEN run.error_code ELSE given.error_code END,
      error_message = CASE WHEN given.status IS NULL THEN run.error_message ELSE given.error_message END,
      tasks_total = run.tasks_total + given.total,
      tasks_active = run.tasks_active + given.active,
      tasks_completed = run.tasks_completed + given.completed,
      tasks_failed = run.tasks_failed + given.failed,
      tasks_skipped = run.tasks_skipped + given.skipped,
      tasks_canceled = run.tasks_canceled + given.canceled,
      events = run.events + given.events,
      position = given.position
    FROM given WHERE run.run_id = given.run_id AND given.requested_ms IS NULL
  )${workflows}
  SELECT moved FROM moved`;

const WORKFLOWS = (schema: string): string => `, published AS (
    INSERT INTO ${schema}.workflows AS workflow (namespace, name, live_hash, labels, published_at, position)
    SELECT given.namespace, given.name, given.labels::jsonb ->> 'live', given.labels::jsonb, ${at('given.published_ms')}, given.position
    FROM moved, ${given(WORKFLOW_COLUMNS, FIRST_WORKFLOW_PARAMETER)}
    ON CONFLICT (namespace, name) DO UPDATE SET
      labels = workflow.labels || excluded.labels,
      live_hash = coalesce(excluded.live_hash, workflow.live_hash),
      published_at = excluded.published_at,
      position = excluded.position
  )`;
