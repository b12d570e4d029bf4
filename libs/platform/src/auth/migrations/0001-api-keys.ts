import type { MigrationInterface, QueryRunner } from 'typeorm';

/** API keys: hashed at rest, one namespace and one role each. The services may read them, only the owner writes. */
export class ApiKeys1764000300001 implements MigrationInterface {
  readonly name = 'ApiKeys1764000300001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE public.api_keys (
        key_id      text PRIMARY KEY CHECK (key_id ~ '^[A-Za-z0-9]{16}$'),
        secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
        name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
        namespace   text NOT NULL CHECK (length(namespace) BETWEEN 1 AND 63),
        role        text NOT NULL CHECK (role IN ('viewer', 'operator', 'approver', 'admin')),
        created_at  timestamptz NOT NULL DEFAULT now(),
        expires_at  timestamptz,
        revoked_at  timestamptz
      )`);
    await runner.query('GRANT SELECT ON public.api_keys TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.api_keys');
  }
}
