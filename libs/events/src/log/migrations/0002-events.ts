import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The log itself. `COLLATE "C"` makes the comparisons of the unique index plain memory comparisons; columns of fixed
 * width come first, so that a row has no padding.
 */
export class Events1764000000002 implements MigrationInterface {
  readonly name = 'Events1764000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE public.events (
        position       bigint      NOT NULL,
        recorded_at    timestamptz NOT NULL,
        run_id         uuid        NOT NULL,
        version        integer     NOT NULL,
        schema_version smallint    NOT NULL,
        decide         boolean     NOT NULL,
        task           text        COLLATE "C" NOT NULL,
        type           text        COLLATE "C" NOT NULL,
        namespace      text        COLLATE "C" NOT NULL,
        hash           bytea       NOT NULL,
        metadata       text        COLLATE "C" NOT NULL,
        data           text        COLLATE "C" NOT NULL,
        CONSTRAINT events_pkey PRIMARY KEY (position),
        CONSTRAINT events_stream_version_key UNIQUE (run_id, task, version),
        CONSTRAINT events_version_check CHECK (version >= 1)
      )`);
    await runner.query('GRANT SELECT ON public.events TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.events');
  }
}
