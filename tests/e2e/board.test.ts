import { existsSync } from 'node:fs';
import { type Browser, type Page, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_PASSWORD, useApi } from '../support/api.ts';
import { ensureConsole } from '../../scripts/dev/console.ts';
import { succeed } from '../support/http-fixtures.ts';

/** CI installs Debian's; a machine without a browser skips, and says so. */
const BROWSER = process.env['CHROMIUM_BINARY'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe.skipIf(!existsSync(BROWSER))(`the queues in a browser (needs ${BROWSER})`, () => {
  const api = useApi({ worker: true });
  let browser: Browser | undefined;
  let operationId = '';

  beforeAll(async () => {
    await ensureConsole();
    browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
    await succeed(api, '/v1/users', { userId: 'ann', wallets: [{ currency: 'EUR' }] });
    const credit = { userId: 'ann', currency: 'EUR', amount: 1_234 };
    operationId = (await succeed(api, '/v1/credits', credit)).id as string;
  });
  afterAll(async () => {
    await browser?.close();
  });

  /** A page in a browser that knows no session; what its scripts complain about is collected. */
  async function newPage(): Promise<{ page: Page; complaints: string[] }> {
    if (browser === undefined) throw new Error('the browser did not start');
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // The board would like fonts from elsewhere; the page may load nothing from there.
      const isFont = message.text().includes("stylesheet 'https://fonts.googleapis.com/");
      if (message.type() === 'error' && !isFont) complaints.push(message.text());
    });
    return { page, complaints };
  }

  async function signIn(page: Page): Promise<void> {
    await page.goto(`${api.url}/admin/queues`);
    expect(new URL(page.url()).pathname).toBe('/admin/login');
    await page.getByLabel('Password').fill(ADMIN_PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${api.url}/admin/queues`);
  }

  async function picture(page: Page, name: string): Promise<void> {
    const folder = process.env['SCREENSHOTS'];
    if (folder !== undefined) {
      await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    }
  }

  it('shows every queue once the operator has signed in, and nothing to change them', async () => {
    const { page, complaints } = await newPage();
    await signIn(page);
    for (const name of ['settlement-0', 'settlement-7', 'events']) {
      await page.getByText(name, { exact: true }).first().waitFor();
    }
    await picture(page, 'board');
    await page.goto(`${api.url}/admin/queues/queue/settlement-0`);
    await page.getByText('settlement-0').first().waitFor();
    for (const name of [/pause/i, /empty/i, /obliterate/i, /add job/i, /retry/i]) {
      expect(await page.getByRole('button', { name }).count()).toBe(0);
    }
    await picture(page, 'queue');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('refuses what a script in the page sends to the board', async () => {
    const { page } = await newPage();
    await signIn(page);
    await page.goto(`${api.url}/admin/queues`);
    const send = (path: string): Promise<number> =>
      page.evaluate(async (url) => (await fetch(url, { method: 'PUT' })).status, path);
    expect(await send('/admin/queues/api/queues/settlement-0/pause')).toBe(405);
    expect(await send('/admin/queues/api/queues/pause')).toBe(405);
    expect(await send('/admin/queues/api/queues/events/empty')).toBe(405);
    await page.close();
  });

  it('leads from a job to its operation, and signs out', async () => {
    const { page, complaints } = await newPage();
    await signIn(page);
    const stored = await api.db.collection('operations').findOne({ _id: operationId as never });
    const queue = String(stored?.['dispatch'].queue);
    await page.goto(`${api.url}/admin/queues/queue/${queue}/${operationId}.1`);
    const link = page.locator(`a[href*="/admin/operations/${operationId}"]`).first();
    await link.waitFor();
    await page.goto(`${api.url}${String(await link.getAttribute('href'))}`);
    await page.getByText('wallet.credit').first().waitFor();
    for (const text of ['succeeded', 'accepted', 'settled', '12.34 EUR']) {
      await page.getByText(text).first().waitFor();
    }
    await picture(page, 'operation');
    expect(complaints).toEqual([]);
    await page.getByRole('button', { name: /^Sign out/ }).click();
    await page.waitForURL(`${api.url}/admin/login`);
    await page.goto(`${api.url}/admin/queues`);
    expect(new URL(page.url()).pathname).toBe('/admin/login');
    await page.close();
  });
});
