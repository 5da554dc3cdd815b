import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../core/kernel/errors.ts';
import { currentContext, withContext } from '../../../../core/telemetry/context.ts';
import { createLogger } from '../../../../core/telemetry/logger.ts';
import { codeLabel, createMetrics } from '../../../../core/telemetry/metrics.ts';

function record() {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level: 'debug', service: 'test', destination });
  return { lines, logger, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

describe('log lines', () => {
  it.each([
    { authorization: 'hunter2' },
    { headers: { authorization: 'hunter2' } },
    { req: { headers: { authorization: 'hunter2', cookie: 'hunter2' } } },
    { password: 'hunter2', user: { password: 'hunter2' } },
    { apiKey: 'hunter2', key: { apiKey: 'hunter2', secret: 'hunter2' } },
    { contacts: { email: 'hunter2@example.org' }, input: { contacts: { phone: 'hunter2' } } },
  ])('hold no secret of %j', (fields) => {
    const { lines, logger } = record();
    logger.info(fields, 'thing.happened');
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines.join('')).toContain('[redacted]');
  });

  it('say of an error what it says, and not the documents that hang on it', () => {
    const { lines, logger, last } = record();
    const document = { url: 'https://x.test/hook/hunter2', contacts: { email: 'hunter2@x.test' } };
    // As the driver makes it of a failed insertMany.
    const bulk = Object.assign(new Error('bulk failed'), {
      name: 'MongoBulkWriteError',
      code: 11_000,
      writeErrors: [{ err: { index: 0, op: document } }],
      result: { insertedIds: [document] },
    });
    const cause = Object.assign(new Error('inner'), { response: document });
    logger.error({ err: new AppError('internal', 'x', { cause: bulk, context: { id: 7 } }) }, 'e');
    logger.error({ err: new Error('outer', { cause }) }, 'e');
    logger.error({ err: document }, 'e');
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain('hunter2');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      err: {
        ...{ type: 'AppError', code: 'internal', context: { id: 7 } },
        stack: expect.stringContaining('logger.test'),
        cause: { type: 'MongoBulkWriteError', code: 11_000, message: 'bulk failed' },
      },
    });
    expect(last()).toMatchObject({ err: '[not an error]' });
  });

  it.each([
    'Invalid connection string "mongodb://ann:hunter2@db.test/x"',
    'connect failed: rediss://:p@hunter2@cache.test:6379',
    'getaddrinfo redis://cache.test?password=hunter2&db=1',
    'POST https://hooks.test/in?token=hunter2 failed',
    'refused slk_ops1_hunter2hunter2hunter2',
    'signed with whsec_hunter2/hunter2=',
    'unexpected header Authorization: Bearer hunter2',
  ])('hold no secret that an error quotes: %s', (text) => {
    const { lines, logger } = record();
    logger.error({ err: new Error(text, { cause: new Error(text) }) }, 'thing.failed');
    logger.error({ err: text }, 'thing.failed');
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines.join('')).toContain('[redacted]');
  });

  it('say what happened and when, with the level as a word', () => {
    const { logger, last } = record();
    logger.warn({ count: 2 }, 'thing.happened');
    expect(last()).toMatchObject({
      ...{ level: 'warn', event: 'thing.happened', service: 'test', count: 2 },
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  it('carry the ids of the work they belong to, and only of that', async () => {
    const { logger, last } = record();
    await withContext({ correlationId: 'c', tenantId: 't' }, async () =>
      withContext({ operationId: 'op_1' }, async () => {
        await Promise.resolve();
        logger.info('inside');
      }),
    );
    expect(last()).toMatchObject({ correlationId: 'c', tenantId: 't', operationId: 'op_1' });
    logger.info('outside');
    expect(last()).not.toHaveProperty('correlationId');
    expect(currentContext()).toEqual({});
  });
});

describe('metrics', () => {
  it('belong to a registry of their own, so that two processes in one test do not collide', () => {
    expect(() => [createMetrics(), createMetrics()]).not.toThrow();
  });

  it('label by codes of the table, never by whatever comes', () => {
    expect(codeLabel('insufficient_funds')).toBe('insufficient_funds');
    expect(['op_123', '', 'toString', '__proto__'].map(codeLabel)).toEqual(Array(4).fill('other'));
  });
});
