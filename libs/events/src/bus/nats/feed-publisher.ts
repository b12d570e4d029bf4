import { createInbox, MsgHdrsImpl, type Msg, type MsgHdrs, type NatsConnection, type PublishOptions } from '@nats-io/transport-node';
import { BusUnavailable, type FeedMessage } from '../bus.port';
import type { NatsLink } from './nats-link';
import type { NatsNames } from './nats-names';
import { isTooLarge } from './payload-limit';
import { type PublishAnswer, readPublishAnswer } from './publish-answer';
import type { Repair } from './repair';
import { afterDelay } from './retry-timer';

type Answer = PublishAnswer | { readonly status: 'silent' };

/** Under the queue at which newer servers begin to refuse, and small enough to be sent again without regret. */
const BATCH_MESSAGES_MAX = 500;
const BATCH_CHARACTERS_MAX = 512 * 1024;
const ANSWER_TIMEOUT_MS = 5_000;
const ROUNDS_MAX = 3;
const LINE_BREAK = /[\r\n]/;

/**
 * Stores feed messages at the price of one acknowledgement per batch: only the first and the last ask for one, and their
 * sequence numbers differ by exactly the messages between when the server stored all of them. Whenever the numbers say
 * anything else (a loss, a second publisher, doubles) the batch is sent again with an acknowledgement for each; those that
 * were stored the first time are doubles by their id.
 */
export class FeedPublisher {
  private readonly inbox = `${createInbox()}.`;
  private readonly waiting = new Map<string, (answer: Answer) => void>();
  private sequence = 0;
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly link: NatsLink,
    private readonly names: NatsNames,
    private readonly stream: Repair,
    private readonly onStoreFailed: () => void,
  ) {
    link.onUp((connection, reason) => {
      if (reason === 'new connection') connection.subscribe(`${this.inbox}*`, { callback: (_error, message) => this.answered(message) });
    });
    link.onDown(() => this.silence());
  }

  /** One caller at a time: batches that mix would make the cheap check fail. */
  publish(messages: readonly FeedMessage[]): Promise<void> {
    const mine = this.turn.then(() => this.publishAll(messages));
    this.turn = mine.catch(() => undefined); // the caller of that batch was told
    return mine;
  }

  close(): void {
    this.silence();
  }

  private async publishAll(messages: readonly FeedMessage[]): Promise<void> {
    if (messages.length === 0) await this.stream.mend();
    for (const batch of batches(messages)) {
      if (!(await this.publishCheaply(batch))) await this.publishEach(batch);
    }
  }

  private async publishCheaply(batch: readonly FeedMessage[]): Promise<boolean> {
    const connection = this.link.require();
    const last = batch.length - 1;
    const answers: Promise<Answer>[] = [];
    batch.forEach((message, index) => {
      if (index === 0 || index === last) answers.push(this.ask(connection, message));
      else this.send(connection, message);
    });
    const [first, final = first] = await Promise.all(answers);
    return first?.status === 'stored' && final?.status === 'stored' && (last === 0 || final.seq - first.seq === last);
  }

  private async publishEach(batch: readonly FeedMessage[]): Promise<void> {
    let left = batch;
    let answer: Answer = { status: 'silent' };
    for (let round = 0; round < ROUNDS_MAX && left.length > 0; round += 1) {
      await this.stream.mend();
      const connection = this.link.require();
      const answers = await Promise.all(left.map((message) => this.ask(connection, message)));
      const refused = answers.flatMap((given, index) => (given.status === 'stored' ? [] : [index]));
      answer = answers[refused[0] ?? 0] ?? answer;
      left = left.filter((_message, index) => answers[index]?.status !== 'stored');
      // newer servers say nothing when a stream cannot write; a connection that broke says nothing about the stream
      if (this.link.isUp() && answers.every(({ status }) => status === 'silent')) this.onStoreFailed();
    }
    if (left.length > 0) throw unavailable(answer, left.length);
  }

  private ask(connection: NatsConnection, message: FeedMessage): Promise<Answer> {
    this.sequence += 1;
    const token = String(this.sequence);
    return new Promise((resolve) => {
      const cancel = afterDelay(ANSWER_TIMEOUT_MS, () => settle({ status: 'silent' }));
      const settle = (answer: Answer): void => {
        cancel();
        this.waiting.delete(token);
        resolve(answer);
      };
      this.waiting.set(token, settle);
      this.send(connection, message, { reply: this.inbox + token });
    });
  }

  /** One event that is too large must not keep those behind it from subscribers. */
  private send(connection: NatsConnection, message: FeedMessage, options: PublishOptions = {}): void {
    let { payload } = message;
    let headers = headersOf(message);
    if (isTooLarge(connection, payload, () => headerBytes(headers))) {
      payload = '';
      headers = headersOf({ ...message, headers: { ...message.headers, 'ce-dataref': message.dataref } });
    }
    connection.publish(this.names.feed(message.subject), payload, { ...options, headers });
  }

  private answered(message: Msg): void {
    const answer = readPublishAnswer(message);
    if (answer.status === 'refused' && answer.storeFailed) this.onStoreFailed();
    this.waiting.get(message.subject.slice(this.inbox.length))?.(answer);
  }

  private silence(): void {
    for (const settle of [...this.waiting.values()]) settle({ status: 'silent' });
  }
}

const headersOf = ({ id, headers }: Pick<FeedMessage, 'id' | 'headers'>): MsgHdrs => {
  const record: Record<string, string[]> = { 'Nats-Msg-Id': [id] };
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (LINE_BREAK.test(value)) throw new TypeError(`Header ${name} holds a line break.`);
    record[name] = [value];
  }
  return MsgHdrsImpl.fromRecord(record); // a third of the cost of setting them one by one
};

/** `NATS/1.0`, a line for each, an empty line. */
const headerBytes = (headers: MsgHdrs): number => 12 + Buffer.byteLength([...headers].map(([name, [value]]) => `${name}: ${value}\r\n`).join(''));

const unavailable = (answer: Answer, count: number): BusUnavailable =>
  answer.status === 'refused'
    ? new BusUnavailable('BUS_REFUSED', `The feed refused ${count} messages: ${answer.code} ${answer.reason}`)
    : new BusUnavailable('BUS_TIMEOUT', `The feed did not acknowledge ${count} messages.`);

function* batches(messages: readonly FeedMessage[]): Generator<readonly FeedMessage[]> {
  let start = 0;
  let characters = 0;
  for (const [index, { payload }] of messages.entries()) {
    const full = index - start >= BATCH_MESSAGES_MAX || characters + payload.length > BATCH_CHARACTERS_MAX;
    if (full && index > start) {
      yield messages.slice(start, index);
      start = index;
      characters = 0;
    }
    characters += payload.length;
  }
  if (start < messages.length) yield messages.slice(start);
}
