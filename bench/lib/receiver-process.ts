import { z } from 'zod';
import type { Log } from '../../scripts/dev/servers/report.ts';
import { type BenchProcess, startProcess, until } from './processes.ts';

const countsSchema = z.object({
  received: z.int(),
  /** Different ids, over all names. */
  distinct: z.int(),
  repeated: z.int(),
  /** Refused, because the signature was not right. */
  unsigned: z.int(),
  /** When the last one came, in milliseconds since 1970. */
  lastAt: z.number(),
  /** Names that something has come for. */
  inboxes: z.int(),
});
export type ReceiverCounts = z.infer<typeof countsSchema>;

interface Place {
  /** Of a host of its own, so that it has connections, a line and a breaker of its own. */
  readonly host?: number;
  /** It answers after so many milliseconds. */
  readonly ms?: number;
}

/** The process that webhooks are sent to (bench/receiver.ts), as its parent sees it. */
export interface ReceiverProcess {
  readonly process: BenchProcess;
  urlOf(name: string, at?: Place): string;
  /** Takes a connection and never answers. */
  holeUrlOf(name: string): string;
  trust(secrets: Readonly<Record<string, string>>): Promise<void>;
  counts(): Promise<ReceiverCounts>;
  /** When the first webhook about each operation came; from the first time on that this is asked. */
  arrivals(): Promise<Readonly<Record<string, number>>>;
}

export async function startReceiverProcess(log: Log): Promise<ReceiverProcess> {
  const process = startProcess({
    script: 'bench/receiver.ts',
    env: {},
    log: (line) => {
      if (!line.includes('ports: ')) log(line);
    },
  });
  const ports = (): readonly string[] =>
    process.lines.flatMap((line) => /^ports: (\d+) (\d+)$/.exec(line)?.slice(1) ?? []);
  await until('the receiver listens', () => ports().length === 2);
  const [port, holePort] = ports();
  const urlAt = (host: string): string => `http://${host}:${String(port)}`;
  const url = urlAt('127.0.0.1');
  return {
    process,
    urlOf: (name, { host, ms = 0 } = {}) => {
      const at = host === undefined ? url : urlAt(hostOf(host));
      return `${at}/w/${name}${ms === 0 ? '' : `?ms=${String(ms)}`}`;
    },
    holeUrlOf: (name) => `http://127.0.0.1:${String(holePort)}/w/${name}`,
    trust: async (secrets) => {
      const { ok, status } = await fetch(`${url}/secrets`, {
        method: 'PUT',
        body: JSON.stringify(secrets),
      });
      if (!ok) throw new Error(`The receiver answered ${String(status)}`);
    },
    arrivals: async () =>
      z.record(z.string(), z.number()).parse(await (await fetch(`${url}/arrivals`)).json()),
    counts: async () => countsSchema.parse(await (await fetch(`${url}/counts`)).json()),
  };
}

/** All of 127/8 is this machine. */
function hostOf(index: number): string {
  return `127.1.${String(Math.floor(index / 250))}.${String(1 + (index % 250))}`;
}
