import type { NewEvent } from '../contracts';

/**
 * Turns events into Postgres arrays in binary wire format. Measured against `pg`'s own text arrays at 200 events per
 * statement: 2.5 against 6 us of Node and 14 against 17 us of Postgres per event, because nothing is escaped here and
 * unescaped there. The buffer is reused: a result is valid until the next call of `encode`.
 */
const OID = { boolean: 16, smallint: 21, integer: 23, text: 25, uuid: 2950 } as const;
const HEADER_BYTES = 20;
const KEPT_BYTES_MAX = 2 * 1024 * 1024;
const DIMENSIONS = 1;

export class AppendBatchEncoder {
  private kept = Buffer.allocUnsafe(64 * 1024);
  private buffer = this.kept;
  private at = 0;

  /** The nine columns in the order of `append_events`, then the further integer columns (`null` stays null). */
  encode(events: readonly NewEvent[], integers: readonly (readonly number[] | null)[]): (Buffer | null)[] {
    this.reserve(events, integers.length);
    return [
      this.column(events.length, OID.uuid, (i) => this.writeUuid(events[i]?.runId ?? '')),
      this.column(events.length, OID.text, (i) => this.writeText(events[i]?.task ?? '')),
      this.column(events.length, OID.integer, (i) => this.writeInteger(events[i]?.version ?? 0)),
      this.column(events.length, OID.text, (i) => this.writeText(events[i]?.type ?? '')),
      this.column(events.length, OID.smallint, (i) => this.writeSmallint(events[i]?.schemaVersion ?? 0)),
      this.column(events.length, OID.text, (i) => this.writeText(events[i]?.namespace ?? '')),
      this.column(events.length, OID.boolean, (i) => this.writeBoolean(events[i]?.decide ?? false)),
      this.column(events.length, OID.text, (i) => this.writeText(events[i]?.metadata ?? '')),
      this.column(events.length, OID.text, (i) => this.writeText(events[i]?.data ?? '')),
      ...integers.map((values) => values && this.column(values.length, OID.integer, (i) => this.writeInteger(values[i] ?? 0))),
    ];
  }

  /** Three bytes per UTF-16 unit is the most that UTF-8 takes. */
  private reserve(events: readonly NewEvent[], integerColumns: number): void {
    let units = 0;
    for (const { task, type, namespace, metadata, data } of events)
      units += task.length + type.length + namespace.length + metadata.length + data.length;
    const bytes = units * 3 + events.length * (64 + integerColumns * 8) + (9 + integerColumns) * HEADER_BYTES;
    this.at = 0;
    if (bytes <= this.kept.length) this.buffer = this.kept;
    else this.buffer = Buffer.allocUnsafe(bytes);
    if (bytes <= KEPT_BYTES_MAX) this.kept = this.buffer;
  }

  private column(count: number, elementOid: number, write: (index: number) => void): Buffer {
    const start = this.at;
    for (const word of [DIMENSIONS, 0, elementOid, count, 1]) this.at = this.buffer.writeInt32BE(word, this.at);
    for (let index = 0; index < count; index++) write(index);
    return this.buffer.subarray(start, this.at);
  }

  private writeText(text: string): void {
    const length = this.buffer.write(text, this.at + 4);
    this.at = this.buffer.writeInt32BE(length, this.at) + length;
  }

  private writeUuid(text: string): void {
    let at = this.buffer.writeInt32BE(16, this.at);
    for (let from = 0; from < 36; from += 2) {
      if (text[from] === '-') from++;
      this.buffer[at++] = (nibble(text.charCodeAt(from)) << 4) | nibble(text.charCodeAt(from + 1));
    }
    this.at = at;
  }

  private writeInteger(value: number): void {
    this.at = this.buffer.writeInt32BE(value, this.buffer.writeInt32BE(4, this.at));
  }

  private writeSmallint(value: number): void {
    this.at = this.buffer.writeInt16BE(value, this.buffer.writeInt32BE(2, this.at));
  }

  private writeBoolean(value: boolean): void {
    this.at = this.buffer.writeUInt8(value ? 1 : 0, this.buffer.writeInt32BE(1, this.at));
  }
}

/** Lower-case hexadecimal digit; the text was validated. */
const nibble = (unit: number): number => (unit < 58 ? unit - 48 : unit - 87);
