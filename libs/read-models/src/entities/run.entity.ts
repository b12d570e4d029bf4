import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { RunStatus } from '../run-status';

/**
 * The summary of one run: what lists, searches and metrics need. Tasks and attempts are not here; they are folded from
 * the log when somebody asks for them.
 */
@Entity({ schema: 'read_models', name: 'runs' })
@Index(['namespace', 'requestedAt', 'runId'])
@Index(['namespace', 'workflow', 'requestedAt', 'runId'])
@Index(['namespace', 'status', 'requestedAt', 'runId'], { where: `(status <> 'succeeded'::text)` })
@Index(['namespace', 'service', 'requestedAt', 'runId'], { where: '(service IS NOT NULL)' })
@Check(`status IN ('pending', 'running', 'awaiting_approval', 'succeeded', 'failed', 'rolled_back', 'canceled', 'escalated')`)
@Check(`(finished_at IS NULL) = (status IN ('pending', 'running', 'awaiting_approval'))`)
@Check('attempt >= 1')
export class RunEntity {
  @PrimaryColumn('uuid', { name: 'run_id' }) runId!: string;
  @Column('text') namespace!: string;
  @Column('text') workflow!: string;
  @Column('text', { nullable: true }) service!: string | null;
  @Column('text') status!: RunStatus;
  @Column('integer') attempt!: number;
  @Column('timestamptz', { name: 'requested_at' }) requestedAt!: Date;
  @Column('timestamptz', { name: 'started_at', nullable: true }) startedAt!: Date | null;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
  @Column('text', { name: 'error_code', nullable: true }) errorCode!: string | null;
  @Column('text', { name: 'error_message', nullable: true }) errorMessage!: string | null;
  /** The first characters of the input's JSON text. */
  @Column('text', { name: 'input_excerpt' }) inputExcerpt!: string;
  @Column('integer', { name: 'tasks_total' }) tasksTotal!: number;
  @Column('integer', { name: 'tasks_active' }) tasksActive!: number;
  @Column('integer', { name: 'tasks_completed' }) tasksCompleted!: number;
  @Column('integer', { name: 'tasks_failed' }) tasksFailed!: number;
  @Column('integer', { name: 'tasks_skipped' }) tasksSkipped!: number;
  @Column('integer', { name: 'tasks_canceled' }) tasksCanceled!: number;
  /** Events of the run so far, over all its streams. */
  @Column('integer') events!: number;
  /** Position of the newest event in this row. */
  @Column('bigint') position!: string;
}
