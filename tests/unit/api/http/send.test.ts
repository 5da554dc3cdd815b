import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { Reply } from '../../../../api/http/reply.ts';
import { send } from '../../../../api/http/send.ts';

/** The head of an answer as it comes over the network. */
async function headOf(reply: Reply): Promise<IncomingMessage> {
  const server = createServer((_request, response) => {
    send(response, reply, 'cid');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [answer] = (await once(get({ port, agent: false }), 'response')) as [IncomingMessage];
  answer.resume();
  return answer;
}

const POLICY = 'Content-Security-Policy';
const countOf = ({ rawHeaders }: IncomingMessage): number =>
  rawHeaders.filter((text) => text === POLICY).length;

it('lets a reply say a security header itself, instead of ours and once', async () => {
  const usual = await headOf({ status: 200, body: {} });
  expect(usual.headers['content-security-policy']).toContain("default-src 'none'");
  const own = await headOf({ status: 200, text: 'é', headers: { [POLICY]: "default-src 'self'" } });
  expect(own.headers['content-security-policy']).toBe("default-src 'self'");
  expect([usual, own].map(countOf)).toEqual([1, 1]);
  expect(own.headers).toMatchObject({ 'content-length': '2', 'x-correlation-id': 'cid' });
});
