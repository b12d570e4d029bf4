import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One row. The epoch changes when the log is restored, so that cursors and commands from before are recognised: whoever
 * restores a backup runs `UPDATE log_meta SET epoch = DEFAULT` as the owner before the services start.
 */
export class LogMeta1764000000003 implements MigrationInterface {
  readonly name = 'LogMeta1764000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE public.log_meta (
        singleton  boolean     NOT NULL DEFAULT true CONSTRAINT log_meta_pkey PRIMARY KEY CHECK (singleton),
        epoch      uuid        NOT NULL DEFAULT gen_random_uuid(),
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('INSERT INTO public.log_meta DEFAULT VALUES');
    await runner.query('GRANT SELECT ON public.log_meta TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.log_meta');
  }
}
