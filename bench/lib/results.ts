import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';

const seconds = z.number();
const latency = z.object({ p50: z.number(), p99: z.number() });
const sampleSchema = z.object({
  perSecond: z.number(),
  operations: z.int(),
  cpu: z.object({
    node: seconds,
    load: seconds,
    own: seconds,
    mongod: seconds,
    redis: seconds,
    othersShare: z.number(),
  }),
  latencyMs: latency.exactOptional(),
  latencies: z.record(z.string(), latency).exactOptional(),
  settledPerSecond: z.number().exactOptional(),
  deadCalls: z.number().exactOptional(),
  windowPerSecond: z.number().exactOptional(),
  looks: z.number().exactOptional(),
  othersPerSecond: z.number().exactOptional(),
  peakMb: z.number().exactOptional(),
});

/** What a run leaves behind: everything that a table or a comparison needs. */
const resultsSchema = z.object({
  at: z.string(),
  rounds: z.int(),
  quick: z.boolean(),
  environment: z.object({
    cpu: z.string(),
    cores: z.int(),
    memoryGb: z.number(),
    node: z.string(),
    mongod: z.string(),
    redis: z.string(),
    packages: z.record(z.string(), z.string()),
    loadBefore: z.number(),
  }),
  loadAfter: z.number(),
  /** Share of the machine's CPU that others used just before each round. */
  othersBefore: z.array(z.number()).readonly(),
  scenarios: z.array(z.record(z.string(), z.unknown())).readonly(),
  samples: z.record(z.string(), z.array(sampleSchema).readonly()),
  judgements: z.array(z.record(z.string(), z.unknown())).readonly(),
});

export type Results = Readonly<z.infer<typeof resultsSchema>>;

/** @throws what zod or JSON.parse throw when the file is not of an earlier run. */
export function readResults(path: string): Results {
  return resultsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

export function writeResults(path: string, results: Results): void {
  mkdirSync(dirname(resolve(path)), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
}
