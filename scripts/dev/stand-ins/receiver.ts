import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { createEmailApi } from './emails.ts';
import { type Answer, type Call, type Received, jsonOf } from './exchange.ts';
import { type Area, type Fault, createFaults, misbehave } from './faults.ts';
import { type FcmService, createFcmService } from './fcm.ts';
import type { Mail } from './mail-server.ts';
import { mailPage, overviewPage } from './pages.ts';
import { type SmsAccount, answerSms, newSmsAccount } from './sms.ts';
import { type Subscription, createPushService } from './web-push.ts';
import { type Verdict, createWebhookInbox } from './webhooks.ts';

/** Everything that our HTTP providers talk to, on one port, with faults on request. */
export interface Receiver {
  readonly url: string;
  readonly sms: SmsAccount;
  readonly emailToken: string;
  readonly fcm: FcmService;
  received(area?: Area): readonly Received[];
  /** Secrets that sign for `<url>/webhooks/<name>`. */
  trust(name: string, secrets: readonly string[]): void;
  /** A browser that takes pushes. */
  subscribe(): Subscription;
  unsubscribe(endpoint: string): void;
  inject(fault: Fault): void;
  /** Forgets the faults and what was received. */
  clear(): void;
  close(): Promise<void>;
}

interface ReceiverOptions {
  readonly port?: number;
  readonly keep?: number;
  /** Shown on the pages. */
  readonly mails?: () => readonly Mail[];
}

const secretsSchema = z.object({ secrets: z.array(z.string()).min(1).max(10) });
const KEEP = 10_000;
const BODY_SHOWN_MAX = 20_000;

export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const { port = 0, keep = KEEP, mails = () => [] } = options;
  const received: Received[] = [];
  const faults = createFaults();
  const webhooks = createWebhookInbox();
  const fcm = createFcmService();
  const push = createPushService();
  const sms = newSmsAccount();
  const emailToken = `re_${randomBytes(16).toString('hex')}`;
  const answerEmail = createEmailApi(emailToken);
  let count = 0;
  let url = '';

  const act = (area: Area, call: Call): Answer & { readonly verdict?: Verdict } => {
    switch (area) {
      case 'webhooks': {
        const name = call.path.slice('/webhooks/'.length);
        const verdict = webhooks.verify(name, call.body.toString('utf8'), call.headers);
        const shown = jsonOf(call.body);
        return { status: verdict === 'bad signature' ? 401 : 204, verdict, shown };
      }
      case 'sms':
        return answerSms(sms, call);
      case 'token':
        return fcm.token(call);
      case 'fcm':
        return fcm.send(call);
      case 'webpush':
        return push.push(call);
      case 'emails':
        return answerEmail(call);
    }
  };
  const note = (area: Area, call: Call, answer: ReturnType<typeof act> & { fault?: string }) => {
    count += 1;
    const { status, verdict, shown, fault } = answer;
    received.push({
      number: count,
      at: new Date().toISOString(),
      area,
      path: call.path,
      status,
      headers: call.headers,
      body: call.body.toString('utf8').slice(0, BODY_SHOWN_MAX),
      ...(verdict !== undefined && { verdict }),
      ...(shown !== undefined && { content: shown }),
      ...(fault !== undefined && { fault }),
    });
    if (received.length > keep) received.shift();
  };
  const serveProvider = async (area: Area, call: Call, response: ServerResponse) => {
    const fault = faults.take(area);
    if (fault !== undefined && fault.kind !== 'delay') {
      const answer = fault.kind === 'effect-then-close' ? act(area, call) : { status: 0 };
      note(area, call, { ...answer, fault: fault.kind });
    }
    if (fault !== undefined && (await misbehave(fault, response))) return;
    const answer = act(area, call);
    note(area, call, { ...answer, ...(fault !== undefined && { fault: fault.kind }) });
    reply(response, answer);
  };
  /** Looking changes nothing. */
  const faultsDesk = (method: string, call: Call): Answer => {
    if (method === 'GET') return { status: 200, body: { faults: faults.list() } };
    if (method !== 'POST' && method !== 'DELETE') return { status: 405 };
    if (method === 'POST') faults.inject(jsonOf(call.body));
    else faults.clear();
    return { status: 204 };
  };
  const serveDesk = (method: string, call: Call, response: ServerResponse): void => {
    const { path } = call;
    const trusted = /^\/webhooks\/(.+)\/secrets$/.exec(path)?.[1];
    const mailNumber = /^\/mails\/(\d+)$/.exec(path)?.[1];
    if (method === 'PUT' && trusted !== undefined) {
      webhooks.trust(trusted, secretsSchema.parse(jsonOf(call.body)).secrets);
      reply(response, { status: 204 });
    } else if (path === '/faults') {
      reply(response, faultsDesk(method, call));
    } else if (method === 'POST' && path === '/push-subscriptions') {
      reply(response, { status: 201, body: push.subscribe(url) });
    } else if (path === '/received') {
      reply(response, { status: 200, body: { received } });
    } else if (path === '/mails') {
      reply(response, { status: 200, body: { mails: mails() } });
    } else if (mailNumber !== undefined) {
      page(response, mailPage(mails().find(({ number }) => String(number) === mailNumber)));
    } else if (path === '/') {
      page(response, overviewPage(mails(), received));
    } else {
      reply(response, { status: 404 });
    }
  };
  const server = createServer((request, response) => {
    readCall(request)
      .then(async (call) => {
        const area = request.method === 'POST' ? areaOf(call.path) : undefined;
        if (area === undefined) serveDesk(request.method ?? 'GET', call, response);
        else await serveProvider(area, call, response);
      })
      .catch((error: unknown) => {
        reply(response, { status: 400, body: { reason: String(error) } });
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url,
    sms,
    emailToken,
    fcm,
    received: (area) => received.filter((one) => area === undefined || one.area === area),
    trust: (name, secrets) => {
      webhooks.trust(name, secrets);
    },
    subscribe: () => push.subscribe(url),
    unsubscribe: (endpoint) => {
      push.unsubscribe(endpoint);
    },
    inject: (fault) => {
      faults.inject(fault);
    },
    clear: () => {
      faults.clear();
      received.splice(0);
    },
    close: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

const PATHS: readonly (readonly [RegExp, Area])[] = [
  [/^\/webhooks\/[^/]+$/, 'webhooks'],
  [/^\/2010-04-01\/Accounts\/\w+\/Messages\.json$/, 'sms'],
  [/^\/token$/, 'token'],
  [/^\/v1\/projects\/[^/]+\/messages:send$/, 'fcm'],
  [/^\/push\/\w+$/, 'webpush'],
  [/^\/emails$/, 'emails'],
];

function areaOf(path: string): Area | undefined {
  return PATHS.find(([pattern]) => pattern.test(path))?.[1];
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  const { pathname } = new URL(request.url ?? '/', 'http://receiver');
  return { path: pathname, headers, body: Buffer.concat(chunks) };
}

function reply(response: ServerResponse, { status, body, headers }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function page(response: ServerResponse, html: string): void {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(html);
}
