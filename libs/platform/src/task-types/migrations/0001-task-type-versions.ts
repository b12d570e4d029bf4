import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which version of a task type's rule new runs begin with; no row: 1. The gateway writes it for admins. */
export class TaskTypeVersions1764000400001 implements MigrationInterface {
  readonly name = 'TaskTypeVersions1764000400001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE public.task_type_versions (
        namespace  text NOT NULL CHECK (length(namespace) BETWEEN 1 AND 63),
        type       text NOT NULL CHECK (length(type) BETWEEN 1 AND 100),
        version    integer NOT NULL CHECK (version >= 1),
        actor      text NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (namespace, type)
      )`);
    await runner.query('GRANT SELECT, INSERT, UPDATE ON public.task_type_versions TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.task_type_versions');
  }
}
