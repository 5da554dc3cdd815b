import { describe, expect, it } from 'vitest';
import { readFile } from 'node:fs/promises';
import { readGuides } from '../../../api/docs/guides.ts';
import { HELP_CODES, ownHelp } from '../../../api/docs/help.ts';
import { EVENT_NAMES } from '../../../core/events/catalog.ts';
import { ERRORS } from '../../../core/kernel/errors.ts';
import { type Answer, expectProblem, useApi } from '../../support/api.ts';

const api = useApi();
const open = { key: null };
const asBrowser = { key: null, headers: { accept: 'text/html,application/xhtml+xml' } };

/** Addresses of ours that a page names. */
function linksOf({ text }: Answer): readonly string[] {
  const found = [...text.matchAll(/(?:href|src)="(\/[^"#]*)/g)].map(([, href = '']) => href);
  return [...new Set(found)];
}

describe('openapi.json', () => {
  it('is the one that is checked in', async () => {
    const { status, body } = await api.ask('/openapi.json', open);
    const file = new URL('../../../docs/openapi.json', import.meta.url);
    expect(status).toBe(200);
    expect(body, 'run: npm run docs').toEqual(JSON.parse(await readFile(file, 'utf8')));
  });

  it('is not sent again to who has it', async () => {
    const { headers } = await api.ask('/openapi.json', open);
    const etag = headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await api.ask('/openapi.json', {
        key: null,
        headers: { 'if-none-match': known },
      });
      expect({ status: again.status, text: again.text, etag: again.headers.get('etag') }).toEqual({
        ...{ status: 304, text: '', etag },
      });
    }
    const stale = { key: null, headers: { 'if-none-match': '"other"' } };
    expect((await api.ask('/openapi.json', stale)).status).toBe(200);
  });
});

describe('the documentation', () => {
  it('leads nowhere that is not there, and nowhere else', async () => {
    const seen = new Set<string>();
    const next = ['/docs'];
    for (let path = next.pop(); path !== undefined; path = next.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const answer = await api.ask(path, asBrowser);
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      if (answer.headers.get('content-type')?.startsWith('text/html') === true) {
        next.push(...linksOf(answer));
      }
    }
    const guides = readGuides().map(({ href }) => href);
    expect([...seen]).toEqual(
      expect.arrayContaining([
        ...guides,
        '/docs/reference',
        '/docs/events',
        '/problems',
        '/llms.txt',
      ]),
    );
  });

  it('has guides before the reference, each also as text', async () => {
    const { text } = await api.ask('/docs', asBrowser);
    expect(text.indexOf('/docs/getting-started')).toBeLessThan(text.lastIndexOf('/docs/reference'));
    const raw = await api.ask('/docs/idempotency.md', open);
    expect(raw.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(raw.text).toMatch(/^# Idempotency\n/);
  });

  it.each(['/docs/nothing', '/docs/assets/nothing.js', '/docs/..%2Fwalk', '/docs/__proto__'])(
    'there is no %s',
    async (path) => {
      expectProblem(await api.ask(path, open), 404, 'not_found');
    },
  );

  it('is for programs that read, too', async () => {
    const { text } = await api.ask('/llms.txt', open);
    expect(text).toMatch(/^# Sluice\n\n> /);
    const links = [...text.matchAll(/\]\((\/[^)]*)\)/g)].map(([, href = '']) => href);
    expect(links.length).toBeGreaterThan(10);
    for (const href of links) expect((await api.ask(href, open)).status).toBe(200);
  });

  it('has every event with its schema', async () => {
    const { body } = await api.ask('/docs/events.json', open);
    const { events } = body as { readonly events: readonly { readonly name: string }[] };
    const names = events.map(({ name }) => name);
    expect(names).toEqual(EVENT_NAMES);
    const { text } = await api.ask('/docs/events', asBrowser);
    for (const name of EVENT_NAMES) expect(text).toContain(`>${name}</h2>`);
  });
});

describe('the pages of error codes', () => {
  it.each(Object.keys(ERRORS))('%s', async (code) => {
    const { status, text, body: _none, headers } = await api.ask(`/problems/${code}`, asBrowser);
    expect({ status, type: headers.get('content-type') }).toEqual({
      ...{ status: 200, type: 'text/html; charset=utf-8' },
    });
    for (const part of ['What it means', 'Does trying again help?', 'What to do']) {
      expect(text).toContain(part);
    }
    const { body } = await api.ask(`/problems/${code}`, open);
    expect(body).toMatchObject({ code, type: `/problems/${code}` });
    expect(body.meaning.length).toBeGreaterThan(20);
    expect(ownHelp(code), `what ${code} means, in api/docs/help-….ts`).toBeDefined();
  });

  it('are of codes that there are', () => {
    expect(HELP_CODES.filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([]);
    expect(new Set(HELP_CODES).size).toBe(HELP_CODES.length);
  });

  it('stand at the address that a refusal names', async () => {
    const refused = await api.ask('/v1/operations', { key: null });
    const page = await api.ask(refused.body.type, asBrowser);
    expect(page.status).toBe(200);
    expect(page.text).toContain('<code>unauthenticated</code>');
  });
});
