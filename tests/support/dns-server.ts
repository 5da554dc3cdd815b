import { type RemoteInfo, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

/** What each question for a host is answered with, one list after the other; the last one stays. */
export type DnsAnswers = Readonly<Record<string, readonly (readonly string[])[]>>;

/** A real name server on this machine whose answers change from one question to the next. */
export interface DnsServer {
  /** `address:port` */
  readonly address: string;
  questions(): readonly string[];
  close(): Promise<void>;
}

const TYPE_A = 1;
const TYPE_AAAA = 28;
const NAME_POINTER = 0xc00c;

export async function startDnsServer(answers: DnsAnswers): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const counts = new Map<string, number>();
  const next = (host: string, type: number): readonly string[] => {
    const lists = answers[host] ?? [];
    const key = `${host} ${String(type)}`;
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    const list = lists[Math.min(count, lists.length - 1)] ?? [];
    return list.filter((address) => isIPv6(address) === (type === TYPE_AAAA));
  };
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { host, end } = readName(query, 12);
    const type = query.readUInt16BE(end);
    if (type === TYPE_A) asked.push(host);
    const known = answers[host.toLowerCase()] !== undefined;
    const records = next(host.toLowerCase(), type).map((address) => record(address, type));
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(known ? 0x8180 : 0x8183, 2); // answer; else: no such name
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    socket.send(
      Buffer.concat([head, query.subarray(12, end + 4), ...records]),
      from.port,
      from.address,
    );
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${String(socket.address().port)}`,
    questions: () => [...asked],
    close: async () => {
      await new Promise<void>((resolve) => {
        socket.close(resolve);
      });
    },
  };
}

function readName(query: Buffer, start: number): { readonly host: string; readonly end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { host: labels.join('.'), end: at + 1 };
}

/** With a TTL of 0: nobody on the way may remember it. */
function record(address: string, type: number): Buffer {
  const data = bytesOf(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(NAME_POINTER, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function bytesOf(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [left = '', right] = address.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
}
