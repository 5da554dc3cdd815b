import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { LIMITS } from '../../config/limits.ts';
import { startTimer } from '../kernel/clock.ts';
import { hostOf } from './url-guard.ts';

export interface HttpPost {
  readonly url: URL;
  /** Vetted ones, tried in turn until one lets us in; by default the host is looked up. */
  readonly addresses?: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly signal: AbortSignal;
}

type HttpRequest = HttpGet & {
  readonly method: 'GET' | 'POST';
  readonly body?: HttpPost['body'];
};

export type HttpReply = HttpAnswer | HttpFailure;

/** The status decides; the body (cut off at its ceilings of size and time) only informs. */
export interface HttpAnswer {
  readonly kind: 'answered';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface HttpFailure {
  readonly kind: 'failed';
  readonly code: HttpFailureCode;
  readonly detail: string;
  /** The request, or a part of it, was on its way. */
  readonly mayHaveSent: boolean;
}

const FAILURES = {
  timeout: 'No answer in time',
  connect_timeout: 'No connection in time',
  connect_refused: 'The connection was refused',
  unreachable: 'The host cannot be reached',
  dns_failed: 'The host has no address',
  connection_reset: 'The connection was cut',
  tls_failed: 'No trusted TLS connection',
  protocol_error: 'The answer is not HTTP',
} as const;
type HttpFailureCode = keyof typeof FAILURES;

const CODES: Readonly<Record<string, HttpFailureCode>> = {
  ABORT_ERR: 'timeout',
  ETIMEDOUT: 'connect_timeout',
  ECONNREFUSED: 'connect_refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ENOTFOUND: 'dns_failed',
  EAI_AGAIN: 'dns_failed',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
};

type HttpGet = Omit<HttpPost, 'body'>;

/** Posts and looks at the answer. Follows no redirect, keeps no cookie, unpacks nothing. */
export interface HttpClient {
  /** Never rejects for what the other side does. */
  post(request: HttpPost): Promise<HttpReply>;
  close(): void;
}

/** The same for what is asked as well as posted. */
export interface AskingHttpClient extends HttpClient {
  get(request: HttpGet): Promise<HttpReply>;
}

interface HttpClientOptions {
  /**
   * A request that is lost with a kept connection is sent again at once, and it may have got
   * through before. Off where a repeat does harm.
   */
  readonly keepAlive: boolean;
  /** Connections that are kept although nobody uses them, over all hosts together. */
  readonly idleMax?: number;
}

export function createHttpClient(clientOptions: HttpClientOptions): AskingHttpClient {
  const { keepAlive, idleMax = LIMITS.providerIdleConnectionsMax } = clientOptions;
  const options = {
    keepAlive,
    maxSockets: LIMITS.providerConnectionsMax,
    maxFreeSockets: LIMITS.providerConnectionsMax,
    timeout: LIMITS.providerIdleMs,
  };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  if (keepAlive) for (const agent of Object.values(agents)) closeWhatIsIdle(agent, idleMax);
  const ask = async (request: HttpRequest): Promise<HttpReply> => {
    const ending = startEnding(request.signal);
    try {
      return await askWithin(request, { agents, ending });
    } finally {
      ending.release();
    }
  };
  return Object.freeze({
    post: (request: HttpPost) => ask({ ...request, method: 'POST' }),
    get: (request: HttpGet) => ask({ ...request, method: 'GET' }),
    close: () => {
      agents.http.destroy();
      agents.https.destroy();
    },
  });
}

/** How a request is made. */
interface Means {
  readonly agents: Agents;
  readonly ending: Ending;
}

/** The end of all tries of a request: its signal's, or its ceiling. */
interface Ending {
  hasCome(): boolean;
  /** Of the try that is under way. */
  watch(request: ClientRequest): void;
  release(): void;
}

/** One timer, and one listener to the signal. */
function startEnding(signal: AbortSignal): Ending {
  let current: ClientRequest | undefined;
  let isOver = false;
  const end = (): void => {
    isOver = true;
    const error: NodeJS.ErrnoException = new Error('its time is over');
    error.code = 'ABORT_ERR';
    current?.destroy(error);
  };
  const stopTimer = startTimer(LIMITS.providerAttemptMs, end);
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  return {
    hasCome: () => isOver,
    watch: (request) => {
      current = request;
      if (isOver) end();
    },
    release: () => {
      stopTimer();
      signal.removeEventListener('abort', end);
    },
  };
}

const IDLE_LOOKS = 32;

/** Of hosts that were called once there may be thousands: those that came first go first. */
function closeWhatIsIdle(agent: HttpAgent, max: number): void {
  let freed = 0;
  agent.on('free', () => {
    freed += 1;
    if (freed % IDLE_LOOKS !== 0) return;
    const idle = Object.values(agent.freeSockets).flatMap((sockets = []) => sockets);
    for (const socket of idle.slice(0, Math.max(0, idle.length - max))) socket.destroy();
  });
}

async function askWithin(request: HttpRequest, means: Means): Promise<HttpReply> {
  const addresses = request.addresses?.slice(0, LIMITS.dnsAddressesTriedMax) ?? [undefined];
  let reply: HttpReply = failure('dns_failed', false);
  for (const address of addresses) {
    reply = await attempt(request, address, means);
    if (reply.kind === 'answered' || reply.mayHaveSent || means.ending.hasCome()) break;
  }
  return reply;
}

interface Agents {
  readonly http: HttpAgent | false;
  readonly https: HttpsAgent | false;
}

/** A connection for one request. */
const FRESH: Agents = { http: false, https: false };

/**
 * A kept connection that is cut as it is used again was most likely closed for being idle: once
 * more, over one of its own.
 */
async function attempt(
  asked: HttpRequest,
  address: string | undefined,
  { agents, ending }: Means,
): Promise<HttpReply> {
  const { method, url, headers, body } = asked;
  const isTls = url.protocol === 'https:';
  const host = hostOf(url);
  const options = {
    method,
    // The address itself, so that no name is looked up between the check and the connection.
    host: address ?? host,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: {
      ...headers,
      host: url.host,
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    },
  };
  return new Promise((resolve, reject) => {
    const answer = (message: IncomingMessage): void => {
      readText(message).then(
        (text) => {
          const { statusCode: status = 0, headers: received } = message;
          resolve({ kind: 'answered', status, headers: received, text });
        },
        () => {
          resolve(failure('protocol_error', true)); // reading does not reject
        },
      );
    };
    const request = isTls
      ? requestHttps(
          { ...options, agent: agents.https, servername: isIP(host) === 0 ? host : '' },
          answer,
        )
      : requestHttp({ ...options, agent: agents.http }, answer);
    const progress = watchConnection(request, isTls);
    request.on('error', (error: NodeJS.ErrnoException) => {
      const failed = failureOf(error, progress.isConnected);
      if (!request.reusedSocket || failed.code !== 'connection_reset') resolve(failed);
      else attempt(asked, address, { agents: FRESH, ending }).then(resolve, reject);
    });
    request.end(body);
    ending.watch(request);
  });
}

interface Progress {
  isConnected: boolean;
}

/** Gives up on a host that does not let us in, and knows whether it had. */
function watchConnection(request: ClientRequest, isTls: boolean): Progress {
  const progress: Progress = { isConnected: false };
  request.once('socket', (socket) => {
    if (request.reusedSocket) {
      progress.isConnected = true;
      return;
    }
    const giveUp = (): void => {
      const error: NodeJS.ErrnoException = new Error('no connection in time');
      error.code = 'ETIMEDOUT';
      request.destroy(error);
    };
    socket.setTimeout(LIMITS.providerConnectMs, giveUp);
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      progress.isConnected = true;
      socket.off('timeout', giveUp);
      socket.setTimeout(0);
    });
  });
  return progress;
}

/** Until its end, its ceilings of size and time, or a cut: the status has been said already. */
async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  await new Promise<void>((resolve) => {
    const stopTimer = startTimer(LIMITS.providerReplyMs, () => {
      stop();
    });
    const stop = (): void => {
      stopTimer();
      message.destroy(); // without an effect once it has ended
      resolve();
    };
    message.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > LIMITS.providerReplyBytesMax) stop(); // ends the connection as well
    });
    message.on('end', () => {
      stopTimer();
      resolve();
    });
    message.on('error', stop);
    message.on('close', stop);
  });
  return Buffer.concat(chunks).subarray(0, LIMITS.providerReplyBytesMax).toString('utf8');
}

function failureOf(error: NodeJS.ErrnoException, isConnected: boolean): HttpFailure {
  const code = error.code ?? '';
  const known = CODES[code];
  if (known === 'connection_reset' && !isConnected) return failure('unreachable', false);
  if (known !== undefined) return failure(known, isConnected);
  return failure(isConnected ? 'protocol_error' : 'tls_failed', isConnected);
}

function failure(code: HttpFailureCode, mayHaveSent: boolean): HttpFailure {
  return { kind: 'failed', code, detail: FAILURES[code], mayHaveSent };
}
