import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A published workflow and where its labels point now. */
@Entity({ schema: 'read_models', name: 'workflows' })
export class WorkflowEntity {
  @PrimaryColumn('text') namespace!: string;
  @PrimaryColumn('text') name!: string;
  /** Hash of the definition that new runs get; null while only other labels exist. */
  @Column('text', { name: 'live_hash', nullable: true }) liveHash!: string | null;
  /** Label → hash. */
  @Column('jsonb') labels!: { [label: string]: string };
  @Column('timestamptz', { name: 'published_at' }) publishedAt!: Date;
  @Column('bigint') position!: string;
}
