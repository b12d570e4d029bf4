/** Turns the text of one environment variable into its typed value, or says in one sentence what is wrong with it. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string };
export type SettingParser<T> = (text: string) => Parsed<T>;

const ok = <T>(value: T): Parsed<T> => ({ ok: true, value });
const fault = (sentence: string): Parsed<never> => ({ ok: false, fault: sentence });

export const text: SettingParser<string> = (value) => ok(value);

export const url =
  (...schemes: readonly string[]): SettingParser<string> =>
  (value) => {
    const parsed = URL.parse(value);
    const scheme = parsed?.protocol.slice(0, -1);
    return scheme !== undefined && schemes.includes(scheme)
      ? ok(value)
      : fault(`must be a URL that starts with ${schemes.map((each) => `${each}://`).join(' or ')}`);
  };

/** One or more server URLs, separated by commas. */
export const urls =
  (...schemes: readonly string[]): SettingParser<readonly string[]> =>
  (value) => {
    const list = splitList(value);
    const wrong = list.map(url(...schemes)).find((each) => !each.ok);
    return wrong === undefined || wrong.ok ? ok(list) : wrong;
  };

/** Whole number between the bounds, both included. */
export const integer =
  (minimum: number, maximum: number): SettingParser<number> =>
  (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    return number >= minimum && number <= maximum
      ? ok(number)
      : fault(`must be a whole number from ${minimum} to ${maximum}`);
  };

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `500ms`, `30s`, `5m`, `1h`, or a bare number of milliseconds; the value is in milliseconds. */
export const duration =
  (minimumMs: number, maximumMs: number): SettingParser<number> =>
  (value) => {
    const match = /^(\d{1,12})(ms|s|m|h)?$/.exec(value);
    const ms = match === null ? Number.NaN : Number(match[1]) * (UNIT_MS[match[2] ?? 'ms'] ?? Number.NaN);
    return ms >= minimumMs && ms <= maximumMs
      ? ok(ms)
      : fault(`must be a duration such as 500ms, 30s or 5m, from ${minimumMs}ms to ${maximumMs}ms`);
  };

export const oneOf =
  <T extends string>(...choices: readonly T[]): SettingParser<T> =>
  (value) => {
    const choice = choices.find((each) => each === value);
    return choice === undefined ? fault(`must be one of ${choices.join(', ')}`) : ok(choice);
  };

export const onOff: SettingParser<boolean> = (value) => {
  if (value === 'on') return ok(true);
  return value === 'off' ? ok(false) : fault('must be on or off');
};

/** Names separated by commas; blanks around them do not count. */
export const list: SettingParser<readonly string[]> = (value) => ok(splitList(value));

/** For a list that says nothing when it is empty, as after a variable that was not filled in: `,`. */
export const atLeastOne =
  (parser: SettingParser<readonly string[]>): SettingParser<readonly string[]> =>
  (value) => {
    const parsed = parser(value);
    return parsed.ok && parsed.value.length === 0 ? fault('must name at least one') : parsed;
  };

export const matching =
  (pattern: RegExp, sentence: string): SettingParser<string> =>
  (value) => (pattern.test(value) ? ok(value) : fault(sentence));

/** An unset or blank variable means "not given". */
export const optional =
  <T>(parser: SettingParser<T>): SettingParser<T | undefined> =>
  (value) => (value === '' ? ok(undefined) : parser(value));

const splitList = (value: string): readonly string[] =>
  value.split(',').map((each) => each.trim()).filter((each) => each !== '');
