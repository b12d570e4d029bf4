import { atLeastOne, duration, integer, list, matching, onOff, oneOf, optional, text, url, urls, type SettingParser } from './setting-parsers';

export interface Setting<T> {
  readonly variable: string;
  /** Text that stands in for an unset variable; `''` where the setting has no value unless it is given. */
  readonly fallback: string;
  /** One sentence for `.env.example` and for the message about a bad value. */
  readonly meaning: string;
  readonly parse: SettingParser<T>;
  /** Never printed, not even when it is wrong. */
  readonly secret: boolean;
}

const setting = <T>(variable: string, parse: SettingParser<T>, fallback: string, meaning: string): Setting<T> => ({
  variable, fallback, meaning, parse, secret: false,
});
const secret = <T>(...parts: Parameters<typeof setting<T>>): Setting<T> => ({ ...setting(...parts), secret: true });

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const name = matching(NAME, 'must be 1 to 63 letters, digits, dots, dashes or underscores');

/** Every setting of every app: the only place that knows a variable's name. */
export const SETTINGS = {
  databaseUrl: secret('FOLDWORK_DATABASE_URL', optional(url('postgres', 'postgresql')), '',
    'Postgres that holds the event log. The user owns the schema; the services themselves switch to the role foldwork_app. Required by the four services; without it the standalone server starts its own Postgres.'),
  databasePoolSize: setting('FOLDWORK_DATABASE_POOL_SIZE', integer(1, 200), '10',
    'Connections that one process holds to Postgres at most.'),
  migrate: setting('FOLDWORK_MIGRATE', onOff, 'on',
    'Whether a service brings the database schema up to date when it starts (several may start at once). With off, a service with on must have been started beforehand.'),
  natsUrls: secret('FOLDWORK_NATS_URL', optional(atLeastOne(urls('nats', 'tls'))), '',
    'NATS servers, separated by commas, JetStream on; with credentials as nats://user:password@host:4222 or nats://token@host:4222. Required by the four services; the standalone server needs none.'),
  natsCredentials: setting('FOLDWORK_NATS_CREDS', optional(text), '',
    'Credentials file (.creds) of the user that the services are to NATS, where it works with JWTs; a bare nkey is not taken. A CA of your own for tls:// goes into NODE_EXTRA_CA_CERTS.'),
  httpHost: setting('FOLDWORK_HTTP_HOST', text, '127.0.0.1', 'Address the gateway listens on. Loopback unless you say otherwise.'),
  httpPort: setting('FOLDWORK_HTTP_PORT', integer(0, 65_535), '3000', 'Port the gateway listens on; 0 picks a free one.'),
  healthPort: setting('FOLDWORK_HEALTH_PORT', optional(integer(0, 65_535)), '',
    'Port on which planner, executor and auditor answer /livez and /readyz (same host as the gateway). Empty: none.'),
  logLevel: setting('FOLDWORK_LOG_LEVEL', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), 'info', 'Least severe log line that is written.'),
  shutdownMs: setting('FOLDWORK_SHUTDOWN_TIMEOUT', duration(100, 600_000), '10s', 'How long a service may take to finish what it is doing when it is told to stop.'),
  dataFolder: setting('FOLDWORK_DATA_DIR', text, '.foldwork', 'Where the standalone server keeps its data.'),

  auth: setting('FOLDWORK_AUTH', onOff, 'on', 'Whether the gateway asks for an API key or a token. With off everybody is an admin of the default namespace.'),
  namespace: setting('FOLDWORK_NAMESPACE', name, 'default', 'Namespace used when authentication is off, and of the first generated key.'),
  oidcIssuer: setting('FOLDWORK_OIDC_ISSUER', optional(url('https', 'http')), '', 'Issuer of JWTs that the gateway accepts besides API keys. Empty: API keys only.'),
  oidcAudience: setting('FOLDWORK_OIDC_AUDIENCE', text, 'foldwork', 'Audience that a JWT must name.'),
  oidcRolesClaim: setting('FOLDWORK_OIDC_ROLES_CLAIM', text, 'foldwork', 'Claim of a JWT that maps namespaces to roles, for example {"default": "operator"}.'),
  rateLimitPerSecond: setting('FOLDWORK_RATE_LIMIT', integer(0, 1_000_000), '5000', 'Requests per second that one key may send, with bursts of as many; 0 means no limit.'),

  actions: setting('FOLDWORK_ACTIONS', list, '', 'Modules that export actions for the executor, separated by commas; relative to the working directory.'),
  secretsFolder: setting('FOLDWORK_SECRETS_DIR', optional(text), '', 'Folder with one file per secret, named after it, as Docker and Kubernetes mount them. A workflow names one as { $secret: name } in the with of a task; the executor puts it in just before the action runs. Empty: there are no secrets.'),
  executorName: setting('FOLDWORK_EXECUTOR_NAME', optional(name), '', 'Name of this executor; one that comes back under its name gives up its old leases at once. Empty: the host name.'),
  executorPools: setting('FOLDWORK_EXECUTOR_POOLS', atLeastOne(list), 'default', 'Pools whose steps this executor takes, separated by commas.'),
  executorConcurrency: setting('FOLDWORK_EXECUTOR_CONCURRENCY', integer(1, 10_000), '200', 'Steps that one executor runs at the same time at most.'),
  executorLeaseMs: setting('FOLDWORK_EXECUTOR_LEASE', duration(500, 600_000), '10s', 'After this long without a sign of life an executor counts as lost and its work is given to others.'),
  plannerName: setting('FOLDWORK_PLANNER_NAME', optional(name), '', 'Name of this planner. Empty: the host name.'),
  plannerLeaseMs: setting('FOLDWORK_PLANNER_LEASE', duration(500, 600_000), '5s', 'After this long without a sign of life the shards of a planner go to the others.'),
  plannerCacheRuns: setting('FOLDWORK_PLANNER_CACHE_RUNS', integer(1, 1_000_000), '5000', 'Runs that a planner keeps folded in memory at most.'),
  runRetryDelayMs: setting('FOLDWORK_RUN_RETRY_DELAY', duration(0, 86_400_000), '30s', 'How long after its failure a run is retried without anybody asking.'),
  runRetryMaximum: setting('FOLDWORK_RUN_RETRY_MAXIMUM', integer(0, 1_000), '3', 'How often a failed run is retried without anybody asking; 0 means never.'),

  statsdHost: setting('FOLDWORK_STATSD_HOST', optional(text), '', 'StatsD server for metrics. Empty: none are sent.'),
  statsdPort: setting('FOLDWORK_STATSD_PORT', integer(1, 65_535), '8125', 'UDP port of the StatsD server.'),
  statsdPrefix: setting('FOLDWORK_STATSD_PREFIX', name, 'foldwork', 'First segment of every metric name.'),
  statsdLabels: setting('FOLDWORK_STATSD_LABELS', oneOf('name', 'tags'), 'name', 'Labels as segments of the metric name, or as DogStatsD tags.'),
  feed: setting('FOLDWORK_FEED', onOff, 'on', 'Whether the auditor publishes the events on NATS for outside subscribers.'),
  busSignals: setting('FOLDWORK_BUS_SIGNALS', onOff, 'on', 'Whether the gateway takes signals from NATS, on the subject foldwork.signals. Whoever may publish there may signal every run.'),
  anchorFile: setting('FOLDWORK_ANCHOR_FILE', optional(text), '', 'File to which the auditor writes the rolling root of the log. Empty: not anchored.'),
  anchorWebhook: secret('FOLDWORK_ANCHOR_WEBHOOK', optional(url('https', 'http')), '', 'URL that gets each anchor as a POST of JSON, for keeping it outside. Empty: none.'),
  anchorEvery: setting('FOLDWORK_ANCHOR_EVERY', integer(1, 10_000_000), '10000', 'Number of events between two anchors.'),
  readyLagMax: setting('FOLDWORK_READY_LAG', integer(1, 100_000_000), '50000', 'Events by which the read models may be behind before the gateway reports itself as not ready.'),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type Config = { readonly [K in SettingName]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };
