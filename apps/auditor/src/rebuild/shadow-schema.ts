import type { Client } from 'pg';

export const SHADOW_SCHEMA = 'read_models_shadow';

/** Empty copies of all tables of the read models, with their constraints, indexes and storage parameters. What an aborted rebuild left goes. */
export const createShadow = async (client: Client): Promise<void> => {
  await dropSchema(client, SHADOW_SCHEMA);
  await dropSchema(client, 'read_models_replaced');
  await client.query(`CREATE SCHEMA ${SHADOW_SCHEMA}`);
  const { rows } = await client.query<{ name: string; parameters: string | null }>(
    `SELECT quote_ident(relname) AS name, array_to_string(reloptions, ', ') AS parameters FROM pg_class
     WHERE relnamespace = 'read_models'::regnamespace AND relkind = 'r'`,
  );
  for (const { name, parameters } of rows) {
    const storage = parameters === null ? '' : `WITH (${parameters})`; // which `LIKE` leaves out
    await client.query(`CREATE TABLE ${SHADOW_SCHEMA}.${name} (LIKE read_models.${name} INCLUDING ALL) ${storage}`);
  }
  await client.query(`GRANT USAGE ON SCHEMA ${SHADOW_SCHEMA} TO foldwork_app`);
  await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${SHADOW_SCHEMA} TO foldwork_app`);
};

/** `schema` is one of the names in this folder. */
export const dropSchema = async (client: Client, schema: string): Promise<void> => {
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
};
