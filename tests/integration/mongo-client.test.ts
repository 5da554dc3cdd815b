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

  it('says of an address that is not usable what is wrong, without its password', async () => {
    const url = 'mongodb://ann:hunter2@[db.test/x';
    const opening = openMongo({ url, database: 'x', appName: 'test' });
    const error: unknown = await opening.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ledger_unavailable' });
    expect(String(error)).toContain('MONGO_URL');
    expect(String(error)).not.toContain('hunter2');
  });
});
