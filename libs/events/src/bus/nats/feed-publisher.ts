import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { BusUnavailable, type FeedMessage } from '../bus.port';
import { headerBlock, messageFrame, sendFrames } from './message-frame';
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
    let frames = '';
    const answers: Promise<Answer>[] = [];
    batch.forEach((message, index) => {
      const asked = index === 0 || index === last ? this.ask() : undefined;
      if (asked !== undefined) answers.push(asked.answer);
      frames += this.frame(connection, message, asked?.reply);
    });
    sendFrames(connection, frames);
    const [first, final = first] = await Promise.all(answers);
    return first?.status === 'stored' && final?.status === 'stored' && (last === 0 || final.seq - first.seq === last);
  }

  private async publishEach(batch: readonly FeedMessage[]): Promise<void> {
    let left = batch;
    let answer: Answer = { status: 'silent' };
    for (let round = 0; round < ROUNDS_MAX && left.length > 0; round += 1) {
      await this.stream.mend();
      const connection = this.link.require();
      const answers = await Promise.all(left.map((message) => {
        const { reply, answer: stored } = this.ask();
        sendFrames(connection, this.frame(connection, message, reply));
        return stored;
      }));
      const refused = answers.flatMap((given, index) => (given.status === 'stored' ? [] : [index]));
      answer = answers[refused[0] ?? 0] ?? answer;
      left = left.filter((_message, index) => answers[index]?.status !== 'stored');
      // newer servers say nothing when a stream cannot write; a connection that broke says nothing about the stream
      if (this.link.isUp() && answers.every(({ status }) => status === 'silent')) this.onStoreFailed();
    }
    if (left.length > 0) throw unavailable(answer, left.length);
  }

  private ask(): { readonly reply: string; readonly answer: Promise<Answer> } {
    this.sequence += 1;
    const token = String(this.sequence);
    const answer = new Promise<Answer>((resolve) => {
      const cancel = afterDelay(ANSWER_TIMEOUT_MS, () => settle({ status: 'silent' }));
      const settle = (given: Answer): void => {
        cancel();
        this.waiting.delete(token);
        resolve(given);
      };
      this.waiting.set(token, settle);
    });
    return { reply: this.inbox + token, answer };
  }

  /** One event that is too large must not keep those behind it from subscribers. */
  private frame(connection: NatsConnection, message: FeedMessage, reply: string | undefined): string {
    const { id, headers, payload, dataref } = message;
    const subject = this.names.feed(message.subject);
    const block = headerBlock({ 'Nats-Msg-Id': id, ...headers });
    if (!isTooLarge(connection, payload, () => Buffer.byteLength(block))) return messageFrame(subject, block, payload, reply);
    return messageFrame(subject, headerBlock({ 'Nats-Msg-Id': id, ...headers, 'ce-dataref': dataref }), '', reply);
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
