import { SETTINGS, type Config, type Setting, type SettingName } from './settings.config';

/** The environment cannot be used; the message names every bad variable, what is wrong with it and what it means. */
export class ConfigInvalid extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`Foldwork cannot start: ${faults.length} setting${faults.length === 1 ? ' is' : 's are'} wrong.\n${faults.map((each) => `  - ${each}`).join('\n')}\nAll settings are described in .env.example.`);
    this.name = 'ConfigInvalid';
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A `Config` whose named settings certainly have a value. */
export type ConfigWith<R extends SettingName> = Config & { readonly [K in R]-?: NonNullable<Config[K]> };

/**
 * Reads the whole environment once. `required` names settings this process cannot do without. Throws `ConfigInvalid`
 * with all faults at once, unknown `FOLDWORK_…` variables (a typing error, most likely) among them.
 */
export const readConfig = <R extends SettingName = never>(environment: Environment, required: readonly R[] = []): ConfigWith<R> => {
  const faults: string[] = [];
  const entries = Object.entries<Setting<unknown>>(SETTINGS).map(([key, setting]) => [key, readOne(setting, environment, faults)]);
  const config = Object.fromEntries(entries) as ConfigWith<R>; // one entry per key of SETTINGS, each by its own parser
  const absent = required.filter((key) => config[key] === undefined && (environment[SETTINGS[key].variable] ?? '').trim() === '');
  faults.push(...absent.map((key) => `${SETTINGS[key].variable} is required. ${SETTINGS[key].meaning}`), ...unknownVariables(environment));
  if (faults.length > 0) throw new ConfigInvalid(faults);
  return config;
};

const readOne = (setting: Setting<unknown>, environment: Environment, faults: string[]): unknown => {
  const given = environment[setting.variable]?.trim() ?? '';
  const parsed = setting.parse(given === '' ? setting.fallback : given);
  if (parsed.ok) return parsed.value;
  const shown = setting.secret ? '' : ` (it is "${given}")`;
  faults.push(`${setting.variable} ${parsed.fault}${shown}. ${setting.meaning}`);
  return undefined;
};

/** Variables of the test set-up and of tools share the prefix. */
const NOT_SETTINGS = /^FOLDWORK_(TEST|BENCH|DEMO|CI)_/;

const unknownVariables = (environment: Environment): string[] => {
  const known = new Set<string>(Object.values(SETTINGS).map((each) => each.variable));
  return Object.keys(environment)
    .filter((variable) => variable.startsWith('FOLDWORK_') && !known.has(variable) && !NOT_SETTINGS.test(variable))
    .map((variable) => `${variable} is not a setting of Foldwork; check its spelling or remove it.`);
};

/** The text of `.env.example`: every setting with its meaning and default. A test keeps the file equal to it. */
export const envExample = (): string => {
  const blocks = Object.values<Setting<unknown>>(SETTINGS).map(
    ({ meaning, variable, fallback }) => `${wrap(meaning)}\n${fallback === '' ? '# ' : ''}${variable}=${fallback}\n`,
  );
  return `# Settings of Foldwork. Each line shows the default; a line in comment has none.\n\n${blocks.join('\n')}`;
};

const wrap = (sentence: string): string =>
  sentence.match(/.{1,110}(?:\s|$)/g)?.map((line) => `# ${line.trim()}`).join('\n') ?? '';
