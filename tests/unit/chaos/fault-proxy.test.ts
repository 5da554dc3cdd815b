import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../../chaos/fault-proxy.ts';
import { until } from '../../support/wait.ts';

/** A server that answers every message with `<` and the message; what it was told is kept. */
let server: Server;
let proxy: FaultProxy;
let told = '';

beforeEach(async () => {
  told = '';
  server = createServer((socket) => {
    socket.on('error', () => undefined); // cut on purpose
    socket.on('data', (bytes) => {
      told += bytes.toString();
      socket.write(`<${bytes.toString()}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const nameCaller = (first: Buffer): string => first.toString().split(':')[0] ?? '';
  proxy = await startFaultProxy({ name: 'test', target: port, nameCaller, random: () => 0.5 });
});

afterEach(async () => {
  await proxy.close();
  server.close();
});

interface Caller {
  readonly socket: Socket;
  heard(): string;
  isOver(): boolean;
}

async function call(): Promise<Caller> {
  const socket = connect(proxy.port, '127.0.0.1');
  let [heard, isOver] = ['', false];
  socket.on('data', (bytes) => {
    heard += bytes.toString();
  });
  socket.on('error', () => undefined); // told by close
  socket.on('close', () => {
    isOver = true;
  });
  await until(() => isOver || socket.readyState === 'open', 'the connection');
  return { socket, heard: () => heard, isOver: () => isOver };
}

async function exchange(caller: Caller, text: string): Promise<void> {
  caller.socket.write(text);
  await until(() => caller.heard().includes(`<${text}`), `an answer to ${text}`);
}

describe('a fault proxy', () => {
  it('is as if it were not there', async () => {
    const caller = await call();
    await exchange(caller, 'a: hello');
    caller.socket.end();
    await until(caller.isOver, 'the end');
    expect(caller.heard()).toBe('<a: hello');
  });

  it('resets what is open and refuses what is new', async () => {
    const before = await call();
    await exchange(before, 'a: hello');
    const rule = proxy.impose({ mode: 'refuse' });
    await until(before.isOver, 'the reset');
    const after = await call();
    await until(after.isOver, 'the refusal');
    expect(rule.strikes()).toBe(2);
    rule.lift();
    await exchange(await call(), 'a: again');
  });

  it('cuts once, and new connections pass', async () => {
    const before = await call();
    await exchange(before, 'a: hello');
    expect(proxy.impose({ mode: 'cut' }).strikes()).toBe(1);
    await until(before.isOver, 'the cut');
    await exchange(await call(), 'a: again');
  });

  it('swallows both ways in a black hole, and ends what lost bytes when it is lifted', async () => {
    const caller = await call();
    await exchange(caller, 'a: hello');
    const rule = proxy.impose({ mode: 'black-hole' });
    caller.socket.write('lost');
    await until(() => rule.strikes() === 1, 'the strike');
    expect([told, caller.isOver()]).toEqual(['a: hello', false]);
    rule.lift();
    await until(caller.isOver, 'the end');
    expect(told).toBe('a: hello');
  });

  it('loses the replies, and only those', async () => {
    const caller = await call();
    await exchange(caller, 'a: hello');
    const rule = proxy.impose({ mode: 'lose-replies' });
    caller.socket.write('order');
    await until(() => told.endsWith('order'), 'the order to arrive');
    expect(caller.heard()).toBe('<a: hello');
    rule.lift();
    await until(caller.isOver, 'the end');
  });

  it('cuts a request in its middle', async () => {
    const caller = await call();
    await exchange(caller, 'a: hello');
    const rule = proxy.impose({ mode: 'cut-request', afterBytes: 4, match: 'insert' });
    await exchange(caller, 'find');
    caller.socket.write('insert this');
    await until(caller.isOver, 'the cut');
    await until(() => told.endsWith('inse'), 'the first bytes');
    expect(rule.strikes()).toBe(1);
  });

  it('cuts a reply in its middle, after the request has arrived', async () => {
    const caller = await call();
    await exchange(caller, 'a: hello');
    proxy.impose({ mode: 'cut-reply', afterBytes: 3 });
    caller.socket.write('order');
    await until(caller.isOver, 'the cut');
    expect(told).toBe('a: helloorder');
    expect(caller.heard()).toBe('<a: hello<or');
  });

  it('strikes only whom it is meant for, and only so often', async () => {
    const [a, b] = [await call(), await call()];
    await exchange(a, 'a: hello');
    await exchange(b, 'b: hello');
    const rule = proxy.impose({
      mode: 'cut-request',
      afterBytes: 1,
      times: 1,
      only: (who) => who === 'b',
    });
    await exchange(a, 'more');
    b.socket.write('more');
    await until(b.isOver, 'the cut');
    const again = await call();
    await exchange(again, 'b: again');
    expect(rule.strikes()).toBe(1);
  });

  it.each([
    { mode: 'delay', delayMs: 40 },
    { mode: 'slow', bytesPerSecond: 20_000 },
  ] as const)('takes its time and keeps the order: $mode', async (rule) => {
    const caller = await call();
    await exchange(caller, 'a: hello');
    proxy.impose(rule);
    const startedMs = performance.now();
    const long = 'x'.repeat(1_000);
    caller.socket.write(long);
    caller.socket.write('end');
    await until(() => caller.heard().length >= 9 + 1_004, 'all of it');
    expect(performance.now() - startedMs).toBeGreaterThan(35);
    expect(told).toBe(`a: hello${long}end`);
  });
});
