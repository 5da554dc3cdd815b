import { describe, expect, it } from 'vitest';
import { useApi } from '../support/api.ts';

const OURS = 'https://app.example.com';
const api = useApi({ env: { CORS_ORIGINS: [OURS, 'http://localhost:5173'] } });
const closed = useApi();

const preflight = (origin: string) => ({
  method: 'OPTIONS',
  key: null,
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,idempotency-key,content-type',
  },
});

describe('a page in a browser', () => {
  it('of an origin that is named may ask, and read answers and their headers', async () => {
    const { status, headers } = await api.ask('/v1/transfers', preflight(OURS));
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(OURS);
    expect(headers.get('access-control-allow-headers')).toContain('Idempotency-Key');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('vary')).toBe('Origin');
    const answer = await api.ask('/v1/users', { headers: { origin: OURS } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(OURS);
    expect(answer.headers.get('access-control-expose-headers')).toContain('Retry-After');
  });

  it('reads a refusal as well', async () => {
    const { status, headers } = await api.ask('/v1/users', {
      key: null,
      headers: { origin: OURS },
    });
    expect(status).toBe(401);
    expect(headers.get('access-control-allow-origin')).toBe(OURS);
  });

  it.each(['https://evil.example', 'https://app.example.com.evil.example', 'null'])(
    'of %s may not, and is told apart from others by caches',
    async (origin) => {
      const refused = await api.ask('/v1/transfers', preflight(origin));
      expect(refused.status).toBe(405);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
      const { headers } = await api.ask('/v1/users', { headers: { origin } });
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('vary')).toBe('Origin');
    },
  );

  it('never gets at the admin pages, which go by a cookie', async () => {
    const { headers } = await api.ask('/admin/login', { key: null, headers: { origin: OURS } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('may not where no origin is named', async () => {
    const { headers } = await closed.ask('/v1/users', { headers: { origin: OURS } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('vary')).toBeNull();
  });
});
