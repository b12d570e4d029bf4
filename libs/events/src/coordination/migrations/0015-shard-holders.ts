import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which planner has a shard: nobody else may write rows of it. */
export class ShardHolders1764000000015 implements MigrationInterface {
  readonly name = 'ShardHolders1764000000015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE public.planner_shards ADD COLUMN holder uuid');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE public.planner_shards DROP COLUMN holder');
  }
}
