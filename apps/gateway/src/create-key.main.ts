import { parseArgs } from 'node:util';
import { ALL_MIGRATIONS, createPool, readConfig, runMigrations } from '@foldwork/platform';
import { createApiKey, NAMESPACE, parseRole, ROLES } from '@foldwork/platform/http';

const USAGE = `Makes an API key and prints it, once.
  --name <who uses it>     goes into the events as the actor
  --role <${ROLES.join('|')}>
  --namespace <name>       default: FOLDWORK_NAMESPACE
  --expires-in-days <n>    default: never`;

const readArguments = () =>
  parseArgs({ options: { name: { type: 'string' }, role: { type: 'string' }, namespace: { type: 'string' }, 'expires-in-days': { type: 'string' }, help: { type: 'boolean' } } }).values;

/** Needs FOLDWORK_DATABASE_URL with the user that owns the schema; the services themselves may not make keys. */
const main = async (): Promise<void> => {
  const { name, role: roleText, namespace, 'expires-in-days': days, help } = readArguments();
  if (help === true) return void process.stdout.write(`${USAGE}\n`);
  const role = parseRole(roleText);
  if (name === undefined || role === undefined || (days !== undefined && !/^[1-9]\d{0,4}$/.test(days))) throw new Error(USAGE);
  if (namespace !== undefined && !NAMESPACE.test(namespace)) throw new Error('a namespace has 1 to 63 letters, digits, dots, dashes or underscores');
  const config = readConfig(process.env, ['databaseUrl']);
  if (config.migrate) await runMigrations({ databaseUrl: config.databaseUrl, migrations: ALL_MIGRATIONS }); // a key may be made before any service was started
  const owner = createPool({ databaseUrl: config.databaseUrl, maximum: 1, applicationName: 'create-key', asOwner: true });
  const expiresAt = days === undefined ? {} : { expiresAt: new Date(Date.now() + Number(days) * 86_400_000) };
  const key = await createApiKey(owner, { name, role, namespace: namespace ?? config.namespace, ...expiresAt });
  await owner.end();
  process.stdout.write(`${key}\n`);
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
