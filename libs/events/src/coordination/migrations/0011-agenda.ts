import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When each open run must be looked at again, and how far each shard of the planners' work has come. */
export class Agenda1764000000011 implements MigrationInterface {
  readonly name = 'Agenda1764000000011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE public.agenda (
        run_id    uuid     NOT NULL CONSTRAINT agenda_pkey PRIMARY KEY,
        shard     smallint NOT NULL CHECK (shard >= 0),
        wake_at   bigint,
        in_flight boolean  NOT NULL
      ) WITH (fillfactor = 70)`);
    await runner.query('CREATE INDEX agenda_due ON public.agenda (wake_at) WHERE wake_at IS NOT NULL');
    await runner.query('CREATE INDEX agenda_in_flight ON public.agenda (shard) WHERE in_flight');
    await runner.query(`
      CREATE TABLE public.planner_shards (
        shard    smallint NOT NULL CONSTRAINT planner_shards_pkey PRIMARY KEY,
        position bigint   NOT NULL DEFAULT 0,
        epoch    uuid     NOT NULL
      )`);
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON public.agenda, public.planner_shards TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.planner_shards');
    await runner.query('DROP TABLE public.agenda');
  }
}
