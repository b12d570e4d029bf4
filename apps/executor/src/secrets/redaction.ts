import { ExactNumber, type FailureDetail, type Json, type JsonObject } from '@foldwork/events';

/** Shorter ones would blot out innocent text; nothing so short is a secret. */
const SECRET_LENGTH_MIN = 4;
const MASK = '***';

/** Takes the secrets that one attempt was given out of everything it leaves behind: plain, base64 and URL-encoded. */
export class Redaction {
  private readonly spellings = new Set<string>();

  add(secrets: readonly string[]): void {
    for (const secret of secrets) {
      if (secret.length < SECRET_LENGTH_MIN) continue;
      const bytes = Buffer.from(secret);
      for (const spelling of [secret, encodeURIComponent(secret), bytes.toString('base64'), bytes.toString('base64url')]) this.spellings.add(spelling);
    }
  }

  text(text: string): string {
    let clean = text;
    for (const spelling of [...this.spellings].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(spelling, MASK);
    return clean;
  }

  json(value: Json): Json {
    if (this.spellings.size === 0) return value;
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.json(item));
    if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value;
    return this.object(value);
  }

  object(value: JsonObject): JsonObject {
    if (this.spellings.size === 0) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.json(item)]));
  }

  failure({ code, message, details }: FailureDetail): FailureDetail {
    return { code: this.text(code), message: this.text(message), ...(details !== undefined && { details: this.json(details) }) };
  }
}
