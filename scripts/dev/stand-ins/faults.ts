import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/** What the receiver can be told to do wrong, and to which kind of request. */
export const AREAS = ['webhooks', 'sms', 'token', 'fcm', 'webpush', 'emails'] as const;
export type Area = (typeof AREAS)[number];

const faultSchema = z.object({
  on: z.enum(AREAS),
  kind: z.enum([
    'delay',
    'hang',
    'status',
    'throttle',
    'redirect',
    'huge',
    'trickle',
    'close',
    'effect-then-close',
  ]),
  /** Requests that it befalls; then it is gone. */
  times: z.int().positive().default(1),
  delayMs: z.int().min(0).default(1_000),
  status: z.int().min(200).max(599).default(500),
  retryAfter: z.string().optional(),
  location: z.string().default('http://169.254.169.254/latest/meta-data/'),
  bytes: z.int().positive().default(100_000_000),
});
export type Fault = z.input<typeof faultSchema>;
export type PlannedFault = z.output<typeof faultSchema>;

export interface Faults {
  inject(fault: unknown): void;
  take(on: Area): PlannedFault | undefined;
  list(): readonly PlannedFault[];
  clear(): void;
}

export function createFaults(): Faults {
  const planned: PlannedFault[] = [];
  return {
    inject: (fault) => {
      planned.push(faultSchema.parse(fault));
    },
    take: (on) => {
      const index = planned.findIndex((fault) => fault.on === on);
      const fault = planned[index];
      if (fault === undefined) return undefined;
      if (fault.times > 1) planned[index] = { ...fault, times: fault.times - 1 };
      else planned.splice(index, 1);
      return fault;
    },
    list: () => planned,
    clear: () => {
      planned.splice(0);
    },
  };
}

const CHUNK = Buffer.alloc(65_536, 'x');
const TRICKLE_EVERY_MS = 50;

/** Answers in the way of the fault; false: the request is to be answered as usual after all. */
export async function misbehave(fault: PlannedFault, response: ServerResponse): Promise<boolean> {
  switch (fault.kind) {
    case 'delay':
      await sleep(fault.delayMs);
      return false;
    case 'hang':
      return true; // the client gives up first
    case 'status':
    case 'throttle': {
      const status = fault.kind === 'throttle' ? 429 : fault.status;
      const patience = fault.retryAfter ?? (fault.kind === 'throttle' ? '1' : undefined);
      response.writeHead(status, patience === undefined ? {} : { 'retry-after': patience });
      response.end('{"error":"on request"}');
      return true;
    }
    case 'redirect':
      response.writeHead(302, { location: fault.location }).end();
      return true;
    case 'huge':
      response.writeHead(200);
      for (let sent = 0; sent < fault.bytes && !response.destroyed; sent += CHUNK.length) {
        if (!response.write(CHUNK)) await drained(response);
      }
      response.end();
      return true;
    case 'trickle':
      response.writeHead(200);
      while (!response.destroyed) {
        response.write('.');
        await sleep(TRICKLE_EVERY_MS);
      }
      return true;
    case 'close':
    case 'effect-then-close':
      response.destroy();
      return true;
  }
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = (): void => {
      response.off('drain', go);
      response.off('close', go);
      resolve();
    };
    response.once('drain', go);
    response.once('close', go);
  });
}
