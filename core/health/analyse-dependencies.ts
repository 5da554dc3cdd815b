import { HEALTH_LIMITS as MAX } from '../../config/health-limits.ts';
import { type Finding, graded, unknownOf } from './finding.ts';
import type { HealthSample, MongoSample, ProcessSample, RedisSample } from './samples.ts';

/** Is what we stand on there, and as we need it? Pure. */
export function analyseDependencies({ mongo, redis, process }: HealthSample): readonly Finding[] {
  return [...ofMongo(mongo), pool(process), ...ofRedis(redis)];
}

function ofMongo(mongo: MongoSample | undefined): readonly Finding[] {
  if (mongo === undefined) {
    const summary = 'No primary answers: nothing can be accepted or settled';
    return [
      { check: 'mongodb', verdict: 'critical', summary, evidence: {} },
      unknownOf('replication', 'MongoDB'),
    ];
  }
  const { isPrimary, tookMs, setName, members, lagMs } = mongo;
  return [
    {
      check: 'mongodb',
      verdict: isPrimary && setName !== '' ? 'ok' : 'critical',
      summary:
        setName === ''
          ? 'MongoDB is no replica set: there are no transactions'
          : isPrimary
            ? `The primary of ${setName} answers in ${tookMs} ms`
            : 'The server that answers is no primary',
      evidence: { tookMs, members, set: setName },
    },
    {
      check: 'replication',
      verdict: graded(lagMs, MAX.lagDegradedMs, MAX.lagCriticalMs),
      summary: `The majority is ${Math.round(lagMs / 100) / 10} s behind the primary`,
      evidence: { lagMs, members },
    },
  ];
}

function pool({ poolWaiters, poolInUse, poolSize }: ProcessSample): Finding {
  return {
    check: 'pool',
    verdict: graded(poolWaiters, MAX.poolWaitersDegraded, MAX.poolWaitersCritical),
    summary: `${poolWaiters} requests of this API wait for a connection to MongoDB`,
    evidence: { waiters: poolWaiters, inUse: poolInUse, size: poolSize },
  };
}

function ofRedis(redis: RedisSample | undefined): readonly Finding[] {
  if (redis === undefined) {
    const summary = 'Redis does not answer: work is accepted and settled slowly, sagas stand still';
    return [
      { check: 'redis', verdict: 'critical', summary, evidence: {} },
      unknownOf('redis-memory', 'Redis'),
      unknownOf('redis-policy', 'Redis'),
    ];
  }
  const { role, tookMs, policy, usedBytes, maxBytes, hasAof } = redis;
  const share = maxBytes === 0 ? 0 : usedBytes / maxBytes;
  return [
    {
      check: 'redis',
      verdict: role === 'master' ? 'ok' : 'critical',
      summary: `Redis (${role}) answers in ${tookMs} ms`,
      evidence: { role, tookMs, aof: hasAof ? 'on' : 'off' },
    },
    {
      check: 'redis-memory',
      verdict: graded(share, MAX.redisMemoryDegraded, MAX.redisMemoryCritical),
      summary:
        maxBytes === 0
          ? `Redis uses ${usedBytes} bytes and has no maxmemory`
          : `Redis uses ${Math.round(share * 100)} % of its maxmemory`,
      evidence: { usedBytes, maxBytes, share: Math.round(share * 1_000) / 1_000 },
    },
    {
      check: 'redis-policy',
      verdict: policy === 'noeviction' ? 'ok' : 'critical',
      summary:
        policy === 'noeviction'
          ? 'Redis never evicts jobs'
          : `maxmemory-policy is ${policy}: Redis may throw jobs away`,
      evidence: { policy },
    },
  ];
}
