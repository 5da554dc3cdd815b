import { type Server, type Socket, connect, createServer } from 'node:net';
import { type Pipe, createPipe } from './pipe.ts';
import { noneFails } from '../../core/kernel/every.ts';

/**
 * A network of our own in front of a server, to be broken on purpose. Rules can be laid on top of
 * each other; every rule counts whom it really befell.
 */
export interface FaultProxy {
  readonly name: string;
  readonly port: number;
  impose(rule: Rule): Imposed;
  /** Connections that are open now, by who made them. */
  callers(): readonly string[];
  close(): Promise<void>;
}

export type Mode =
  /** Open connections are reset, new ones refused. */
  | 'refuse'
  /** Open connections are reset, once. */
  | 'cut'
  /** Nothing arrives on either side, and no connection breaks. */
  | 'black-hole'
  /** What the client says arrives; what the server answers does not. */
  | 'lose-replies'
  /** A request is cut off in its middle: the server has the first bytes of it. */
  | 'cut-request'
  /** A request arrives, and its answer is cut off in the middle. */
  | 'cut-reply'
  | 'delay'
  /** So many bytes a second, each way. */
  | 'slow';

export interface Rule {
  readonly mode: Mode;
  /** Only connections of such callers; undefined: everybody's. */
  readonly only?: (caller: string) => boolean;
  /** Only requests with these bytes in them (and what is answered to them), as latin1. */
  readonly match?: string;
  /** Then it is over. */
  readonly times?: number;
  /** Bytes that get through before a message is cut. */
  readonly afterBytes?: number;
  readonly delayMs?: number;
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
}

export interface Imposed {
  /** Connections or messages that it befell so far. */
  strikes(): number;
  /** What lost bytes ends, as it does when a network comes back; new connections pass. */
  lift(): void;
}

export interface ProxyOptions {
  readonly name: string;
  readonly target: number;
  readonly port?: number;
  readonly host?: string;
  /** Who made a connection, by the first bytes that it sends; without it everybody is ''. */
  readonly nameCaller?: (firstBytes: Buffer) => string;
  /** For the jitter. */
  readonly random?: () => number;
}

interface Live {
  readonly rule: Rule;
  strikes: number;
}

interface Connection {
  readonly client: Socket;
  readonly upstream: Socket;
  caller: string | undefined;
  readonly toServer: Pipe;
  readonly toClient: Pipe;
  /** Rules under which it lost bytes, or is about to. */
  readonly struckBy: Set<Live>;
  isOver: boolean;
}

const HOST = '127.0.0.1';
const AFTER_BYTES = 24;

export async function startFaultProxy(options: ProxyOptions): Promise<FaultProxy> {
  const { name, target, host = HOST, nameCaller, random = Math.random } = options;
  const live = new Set<Live>();
  const connections = new Set<Connection>();

  const rulesFor = (connection: Connection): readonly Live[] =>
    [...live].filter(({ rule, strikes }) => {
      if (rule.times !== undefined && strikes >= rule.times) return false;
      return (
        rule.only === undefined || (connection.caller !== undefined && rule.only(connection.caller))
      );
    });
  const reset = (connection: Connection): void => {
    if (connection.isOver) return;
    connection.isOver = true;
    connections.delete(connection);
    connection.toServer.stop();
    connection.toClient.stop();
    connection.client.resetAndDestroy();
    connection.upstream.resetAndDestroy();
  };
  const strike = (one: Live, connection: Connection): void => {
    if (connection.struckBy.has(one)) return;
    connection.struckBy.add(one);
    one.strikes += 1;
  };

  /** Whether the request goes on its way. */
  const passes = (one: Live, connection: Connection, bytes: Buffer): boolean => {
    const { mode, match, afterBytes = AFTER_BYTES } = one.rule;
    if (match !== undefined && !bytes.includes(match, 0, 'latin1')) return true;
    switch (mode) {
      case 'cut':
        return true; // over as soon as it was imposed
      case 'refuse':
        strike(one, connection);
        reset(connection);
        return false;
      case 'black-hole':
        strike(one, connection);
        return false;
      case 'cut-request':
        if (bytes.length <= afterBytes) return true;
        strike(one, connection);
        connection.toServer.push(bytes.subarray(0, afterBytes), []);
        connection.toServer.finish(() => {
          reset(connection);
        });
        return false;
      case 'lose-replies':
      case 'cut-reply':
      case 'delay':
      case 'slow':
        strike(one, connection);
        return true;
    }
  };
  const fromClient = (connection: Connection, bytes: Buffer): void => {
    connection.caller ??= nameCaller?.(bytes) ?? '';
    // Whoever has lost bytes to a hole goes on losing them: half a stream is worth nothing.
    if ([...connection.struckBy].some(({ rule }) => rule.mode === 'black-hole')) return;
    const rules = rulesFor(connection);
    if (!noneFails(rules, (one) => passes(one, connection, bytes))) return;
    connection.toServer.push(
      bytes,
      rules.map(({ rule }) => rule),
    );
  };
  const fromServer = (connection: Connection, bytes: Buffer): void => {
    const rules = rulesFor(connection);
    for (const one of rules) {
      if (one.rule.mode === 'black-hole' && one.rule.match === undefined) {
        strike(one, connection);
        return;
      }
    }
    for (const { rule } of connection.struckBy) {
      if (rule.mode === 'lose-replies' || rule.mode === 'black-hole') return;
      if (rule.mode === 'cut-reply') {
        const { afterBytes = AFTER_BYTES } = rule;
        connection.toClient.push(bytes.subarray(0, Math.min(afterBytes, bytes.length - 1)), []);
        connection.toClient.finish(() => {
          reset(connection);
        });
        return;
      }
    }
    connection.toClient.push(
      bytes,
      rules.map(({ rule }) => rule),
    );
  };

  const accept = (client: Socket): void => {
    const refused = [...live].find(({ rule }) => rule.mode === 'refuse' && rule.only === undefined);
    if (refused !== undefined) {
      refused.strikes += 1;
      client.on('error', () => undefined); // it is being reset
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: target, host: HOST, allowHalfOpen: true });
    const connection: Connection = {
      client,
      upstream,
      caller: nameCaller === undefined ? '' : undefined,
      toServer: createPipe(client, upstream, random),
      toClient: createPipe(upstream, client, random),
      struckBy: new Set(),
      isOver: false,
    };
    connections.add(connection);
    wire(
      client,
      connection.toServer,
      (bytes) => {
        fromClient(connection, bytes);
      },
      () => {
        reset(connection);
      },
    );
    wire(
      upstream,
      connection.toClient,
      (bytes) => {
        fromServer(connection, bytes);
      },
      () => {
        reset(connection);
      },
    );
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    const forget = (): void => {
      if (client.destroyed && upstream.destroyed) connections.delete(connection);
    };
    client.on('close', forget);
    upstream.on('close', forget);
  };

  const server = createServer({ allowHalfOpen: true }, accept);
  await listen(server, options.port ?? 0, host);
  const { port } = server.address() as { port: number }; // a TCP server has one once it listens
  const concerned = (rule: Rule): Connection[] =>
    [...connections].filter(
      ({ caller }) => rule.only === undefined || (caller !== undefined && rule.only(caller)),
    );
  return Object.freeze({
    name,
    port,
    callers: () => [...connections].map(({ caller }) => caller ?? '?'),
    impose: (rule: Rule) => {
      const one: Live = { rule, strikes: 0 };
      if (rule.mode === 'cut' || rule.mode === 'refuse') {
        for (const connection of concerned(rule)) {
          strike(one, connection);
          reset(connection);
        }
      }
      if (rule.mode !== 'cut') live.add(one);
      return {
        strikes: () => one.strikes,
        lift: () => {
          live.delete(one);
          const hasLost = rule.mode === 'black-hole' || rule.mode === 'lose-replies';
          for (const connection of connections) {
            if (hasLost && connection.struckBy.has(one)) reset(connection);
          }
        },
      };
    },
    close: async () => {
      for (const connection of [...connections]) reset(connection);
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  });
}

function wire(
  socket: Socket,
  pipe: Pipe,
  onBytes: (bytes: Buffer) => void,
  onError: () => void,
): void {
  socket.on('data', onBytes);
  socket.on('end', () => {
    pipe.finish();
  });
  socket.on('error', onError);
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
