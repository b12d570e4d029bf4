import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Everything that a rebuild makes anew stands in a schema of its own, so that the rebuilt one takes its place by a change
 * of name. Constraints and indexes have the names Postgres gives them: copies made by a rebuild then have the same.
 */
export class ReadModels1764000000101 implements MigrationInterface {
  readonly name = 'ReadModels1764000000101';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE SCHEMA read_models');
    await runner.query('GRANT USAGE ON SCHEMA read_models TO foldwork_app');
    await runner.query(`
      CREATE TABLE read_models.runs (
        run_id          uuid        NOT NULL PRIMARY KEY,
        namespace       text        NOT NULL,
        workflow        text        NOT NULL,
        service         text,
        status          text        NOT NULL CHECK (status IN
          ('pending', 'running', 'awaiting_approval', 'succeeded', 'failed', 'rolled_back', 'canceled', 'escalated')),
        attempt         integer     NOT NULL CHECK (attempt >= 1),
        requested_at    timestamptz NOT NULL,
        started_at      timestamptz,
        finished_at     timestamptz,
        error_code      text,
        error_message   text,
        input_excerpt   text        NOT NULL,
        tasks_total     integer     NOT NULL,
        tasks_active    integer     NOT NULL,
        tasks_completed integer     NOT NULL,
        tasks_failed    integer     NOT NULL,
        tasks_skipped   integer     NOT NULL,
        tasks_canceled  integer     NOT NULL,
        events          integer     NOT NULL,
        position        bigint      NOT NULL,
        CHECK ((finished_at IS NULL) = (status IN ('pending', 'running', 'awaiting_approval')))
      ) WITH (fillfactor = 70)`);
    await runner.query('CREATE INDEX ON read_models.runs (namespace, requested_at, run_id)');
    await runner.query('CREATE INDEX ON read_models.runs (namespace, workflow, requested_at, run_id)');
    await runner.query(`CREATE INDEX ON read_models.runs (namespace, status, requested_at, run_id) WHERE status <> 'succeeded'`);
    await runner.query('CREATE INDEX ON read_models.runs (namespace, service, requested_at, run_id) WHERE service IS NOT NULL');
    await runner.query(`
      CREATE TABLE read_models.workflows (
        namespace    text        NOT NULL,
        name         text        NOT NULL,
        live_hash    text,
        labels       jsonb       NOT NULL,
        published_at timestamptz NOT NULL,
        position     bigint      NOT NULL,
        PRIMARY KEY (namespace, name)
      )`);
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA read_models TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA read_models CASCADE');
  }
}
