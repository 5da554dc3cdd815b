import { type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { inTurns } from '../../../runtime/http-turns.ts';
import { until } from '../../support/wait.ts';

describe('requests that a client sends ahead of their answers', () => {
  /** A server that answers when it is told to, and a client that sends so many requests at once. */
  async function pipeline(requests: number) {
    const held: ServerResponse[] = [];
    const server = createServer(
      inTurns((_request, response) => {
        held.push(response);
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1' });
    let answers = 0;
    socket.setEncoding('utf8').on('data', (text: string) => {
      answers += text.split('HTTP/1.1 200').length - 1;
    });
    onTestFinished(() => {
      socket.destroy();
      server.close();
    });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests));
    return { held, socket, answers: () => answers, bytesRead: () => serverBytes(held) };
  }

  const serverBytes = ([first]: readonly ServerResponse[]): number =>
    first?.req.socket.bytesRead ?? 0;

  it('run a few at a time, however many have come', async () => {
    const { held, answers } = await pipeline(1_000);
    let most = 0;
    while (answers() < 1_000) {
      await until(() => held.length > 0 || answers() === 1_000, 'one runs');
      most = Math.max(most, held.length);
      held.shift()?.end('x');
    }
    expect(most).toBe(LIMITS.pipelinedMax);
  });

  it('are not read on while many of them wait', async () => {
    const requests = 200_000; // 5 MB, far more than the buffers between the two hold
    const { held, socket, bytesRead } = await pipeline(requests);
    await until(() => held.length >= LIMITS.pipelinedMax, 'some run');
    await until(() => bytesRead() >= 16_384 || socket.writableLength === 0, 'a piece is read');
    const before = bytesRead();
    for (let turns = 0; turns < 200; turns += 1) await new Promise(setImmediate);
    expect(bytesRead()).toBe(before);
    expect(held).toHaveLength(LIMITS.pipelinedMax);
  });
});
