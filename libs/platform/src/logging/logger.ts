import { pino, stdSerializers, type Logger as PinoLogger, type SerializedError } from 'pino';

export type Logger = PinoLogger;

/** Names under which a secret might slip into a log line. */
const SECRET_FIELDS = ['authorization', 'token', 'secret', 'password', 'apiKey', 'databaseUrl', 'natsUrls', 'key'];
const REDACTED = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/** pg hangs the whole connection on the errors of idle ones, with the key that cancels its statements. */
const withoutClient = ({ client: _client, ...error }: SerializedError): SerializedError => error;

export interface LoggerOptions {
  readonly app: string;
  readonly level: string;
  /** Where the lines go; the standard output unless a test says otherwise. */
  readonly destination?: { write(line: string): void };
}

/** One JSON line per event of interest. Fields by name: `event` (what happened), `runId` (as the API shows it), `task`, `requestId`, `duration` (seconds). */
export const createLogger = ({ app, level, destination }: LoggerOptions): Logger => {
  const options = {
    level,
    base: { app },
    serializers: { err: stdSerializers.wrapErrorSerializer(withoutClient) },
    redact: { paths: REDACTED, censor: '***' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  return destination === undefined ? pino(options) : pino(options, destination);
};
