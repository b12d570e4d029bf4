import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, type MicroserviceOptions, Payload } from '@nestjs/microservices';
import { type Bus, connectNatsBus, EmbeddedBus } from '@foldwork/events';
import { startThrowawayNats, type ThrowawayNats } from '@foldwork/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { BusMessageContext } from './bus-message.context';
import { BusServer } from './bus-server.strategy';

const RUN = '0190a0a0-1111-7222-8333-444455556666';
const handled: { readonly payload: string; readonly source: string; readonly deliveries: number }[] = [];
const hints: string[] = [];

@Controller()
class StepController {
  @EventPattern<string>('steps')
  async step(@Payload() payload: string, @Ctx() context: BusMessageContext): Promise<void> {
    const { deliveries } = context.delivery;
    handled.push({ payload, source: context.source, deliveries });
    if (payload === 'throws' && deliveries === 1) throw new Error('the handler failed');
    if (payload === 'later' && deliveries === 1) return context.delivery.retryLater(20);
    await Promise.resolve();
    context.delivery.ack();
  }

  @EventPattern<string>('hint.log')
  log(@Payload() payload: string): void {
    hints.push(payload);
  }
}

@Module({ controllers: [StepController] })
class ExecutorModule {}

const serve = async (bus: Bus): Promise<INestMicroservice> => {
  const strategy = new BusServer({ bus, pools: ['default', 'gpu'], maxInFlight: 10 });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(ExecutorModule, { strategy, logger: false });
  await app.listen();
  return app;
};

const eventually = async (condition: () => boolean): Promise<void> => {
  for (let waited = 0; !condition(); waited += 5) {
    if (waited > 10_000) throw new Error(`Not reached: ${condition}`);
    await sleep(5);
  }
};

let nats: ThrowawayNats;
beforeAll(async () => {
  nats = await startThrowawayNats();
});
afterAll(() => nats.stop());

describe.each([
  ['the embedded bus', () => Promise.resolve(new EmbeddedBus())],
  ['NATS', () => connectNatsBus({ servers: nats.url, name: 'executor', prefix: `nest-${process.pid}` })],
])('Nest handlers on %s', (_name, open: () => Promise<Bus>) => {
  let bus: Bus;
  let app: INestMicroservice;
  beforeEach(async () => {
    handled.length = 0;
    hints.length = 0;
    bus = await open();
    app = await serve(bus);
  });
  afterEach(async () => {
    await app.close();
    await bus.close();
  });

  it('get each step as text, with the delivery to acknowledge or give back', async () => {
    await bus.publishStep('default', RUN, '{"n":1.0}');
    await bus.publishStep('gpu', RUN, 'later');
    await eventually(() => handled.length === 3);
    expect(handled[0]).toEqual({ payload: '{"n":1.0}', source: 'default', deliveries: 1 });
    expect(handled.slice(1)).toEqual([
      { payload: 'later', source: 'gpu', deliveries: 1 }, { payload: 'later', source: 'gpu', deliveries: 2 },
    ]);
  });

  it('get a step again whose handling failed', async () => {
    await bus.publishStep('default', RUN, 'throws');
    await eventually(() => handled.length === 2);
    expect(handled.map(({ deliveries }) => deliveries)).toEqual([1, 2]);
  });

  it('get hints of the topics they ask for', async () => {
    await eventually(() => {
      bus.hint('log', '17');
      bus.hint('decide', 'not asked for');
      return hints.length > 0;
    });
    expect(new Set(hints)).toEqual(new Set(['17']));
  });

  it('get nothing after the microservice was closed', async () => {
    await app.close();
    await bus.publishStep('default', RUN, 'nobody home');
    await sleep(100);
    expect(handled).toEqual([]);
  });
});
