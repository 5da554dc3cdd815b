import { describe, expect, it, onTestFinished } from 'vitest';
import { openMongo } from '../../core/infra/mongo.ts';
import { testUrl } from '../support/saga-arena.ts';

describe('the connection to MongoDB', () => {
  it('does not stream the state of the servers: a fail-over would end the process', async () => {
    const mongo = await openMongo({
      url: testUrl('MONGO_URL'),
      database: 'mongo-client',
      appName: 'test',
    });
    onTestFinished(() => mongo.close());
    expect(mongo.client.options.serverMonitoringMode).toBe('poll');
  });
});
