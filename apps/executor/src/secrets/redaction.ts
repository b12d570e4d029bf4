import { ExactNumber, type FailureDetail, type Json, type JsonObject } from '@foldwork/events';

/** Shorter ones would blot out innocent text; nothing so short is a secret. */
const SECRET_LENGTH_MIN = 4;
const MASK = '***';
/** Ends a text that goes on. */
const CUT = '…';

/** Takes the secrets that one attempt was given out of everything it leaves behind, also as they look inside JSON, URLs, forms and base64. */
export class Redaction {
  private readonly spellings = new Set<string>();

  add(secrets: readonly string[]): void {
    for (const secret of secrets.flatMap((each) => [each, each.trim()])) { // headers are sent without the blanks around them
      if (secret.length < SECRET_LENGTH_MIN) continue;
      for (const spelling of [secret, JSON.stringify(secret).slice(1, -1), ...quoted(secret), ...base64Of(secret)]) this.spellings.add(spelling);
    }
  }

  text(text: string): string {
    let clean = text;
    for (const spelling of [...this.spellings].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(spelling, MASK);
    return clean.endsWith(CUT) ? this.beforeCut(clean.slice(0, -CUT.length)) + CUT : clean;
  }

  /** A long text may have been cut within a secret. */
  private beforeCut(text: string): string {
    const lengths = [...this.spellings].map((spelling) => {
      let length = spelling.length - 1;
      while (length > 0 && !text.endsWith(spelling.slice(0, length))) length -= 1;
      return length;
    });
    const longest = Math.max(0, ...lengths);
    return longest < SECRET_LENGTH_MIN ? text : text.slice(0, -longest) + MASK;
  }

  json(value: Json): Json {
    if (this.spellings.size === 0) return value;
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.json(item));
    if (typeof value === 'number' || value instanceof ExactNumber) return this.text(String(value)) === String(value) ? value : MASK;
    return typeof value === 'object' && value !== null ? this.object(value) : value;
  }

  object(value: JsonObject): JsonObject {
    if (this.spellings.size === 0) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.json(item)]));
  }

  failure({ code, message, details }: FailureDetail): FailureDetail {
    return { code: this.text(code), message: this.text(message), ...(details !== undefined && { details: this.json(details) }) };
  }
}

/** As in URLs, with either case of hexadecimal digits, and as in forms. */
const quoted = (secret: string): string[] => {
  const url = encodeURIComponent(secret);
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  return [url, form, ...[url, form].map((text) => text.replace(/%../g, (byte) => byte.toLowerCase()))];
};

/** Alone, and what is the same of it wherever it stands in a longer text (`user:password`). */
const base64Of = (secret: string): string[] => {
  const cores = ALPHABETS.flatMap((alphabet) => [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    return bytes.toString(alphabet).slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
  }));
  return [...ALPHABETS.map((alphabet) => Buffer.from(secret).toString(alphabet)), ...cores.filter(({ length }) => length >= BASE64_CORE_MIN)];
};
const ALPHABETS = ['base64', 'base64url'] as const;

/** Shorter pieces may stand in any base64 text. */
const BASE64_CORE_MIN = 8;
