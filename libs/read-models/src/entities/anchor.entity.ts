import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The rolling root over the hashes of all events up to a position. Not derived again by a rebuild: it is a witness. */
@Entity({ schema: 'public', name: 'anchors' })
export class AnchorEntity {
  @PrimaryColumn('bigint') position!: string;
  /** Hex SHA-256. */
  @Column('text') root!: string;
  @Column('timestamptz', { name: 'anchored_at', default: () => 'now()' }) anchoredAt!: Date;
}
