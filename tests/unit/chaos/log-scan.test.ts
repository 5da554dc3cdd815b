import { describe, expect, it } from 'vitest';
import { findInLog } from '../../chaos/evidence/log-scan.ts';

const clean = '{"level":"warn","event":"operations.group.failed","err":{"stack":"Error: away"}}';

describe('a look into a log', () => {
  it('finds nothing in lines that tell of expected failures', () => {
    expect(findInLog('api-1', `${clean}\n${clean}\n`, ['geheim'])).toEqual([]);
  });

  it.each([
    ['unhandled', '{"level":"fatal","event":"process.unhandledRejection"}'],
    ['crash', 'MongoServerSelectionError: connect ECONNREFUSED'],
    ['crash', 'Node.js v20.20.2'],
  ] as const)('finds what nobody caught: %s %s', (kind, line) => {
    expect(findInLog('api-1', `${clean}\n${line}`, [])).toEqual([{ process: 'api-1', kind, line }]);
  });

  it('finds a secret, and does not repeat it', () => {
    const [found] = findInLog('api-1', '{"authorization":"Bearer slk_a_geheim"}', ['geheim']);
    expect(found?.kind).toBe('secret');
    expect(found?.line).not.toContain('geheim');
  });
});
