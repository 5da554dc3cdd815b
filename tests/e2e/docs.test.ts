import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_NAMES } from '../../core/events/catalog.ts';
import { ENDPOINTS } from '../../api/routes/index.ts';
import { useApi } from '../support/api.ts';

const BROWSER = process.env['CHROMIUM_BINARY'] ?? '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run'];
const SIZES = [
  { name: 'desktop', width: 1_280, height: 900 },
  { name: 'phone', width: 390, height: 844 },
] as const;

describe.skipIf(!existsSync(BROWSER))(`the documentation in a browser (needs ${BROWSER})`, () => {
  const api = useApi();
  let browser: Browser | undefined;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
  });

  /** Opens a page, and collects what it asks others for and what it complains about. */
  async function open(path: string, viewport: { readonly width: number; readonly height: number }) {
    if (browser === undefined) throw new Error('the browser did not start');
    const page = await browser.newPage({ viewport });
    const elsewhere: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(api.url) && !url.startsWith('data:')) elsewhere.push(url);
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(`${api.url}${path}`);
    return { page, elsewhere, complaints };
  }

  async function picture(page: Awaited<ReturnType<typeof open>>['page'], name: string) {
    const folder = process.env['SCREENSHOTS'];
    if (folder !== undefined) await page.screenshot({ path: `${folder}/docs-${name}.png` });
  }

  it.each(SIZES)('shows every endpoint, from nowhere else ($name)', async ({ name, ...size }) => {
    const { page, elsewhere, complaints } = await open('/docs/reference', size);
    await page.locator('body[data-ready]').waitFor();
    await page.locator('.opblock').first().waitFor();
    // Webhooks are shown as well, one an event.
    const shown = ENDPOINTS.length + EVENT_NAMES.length;
    expect(await page.locator('.opblock').count()).toBe(shown);
    await picture(page, `reference-${name}`);
    await page.locator('#operations-transfers-postTransfers button').first().click();
    await page.getByText('Idempotency-Key').first().waitFor();
    await page.locator('#operations-transfers-postTransfers').scrollIntoViewIfNeeded();
    await picture(page, `transfer-${name}`);
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(size.width);
    expect({ elsewhere, complaints }).toEqual({ elsewhere: [], complaints: [] });
    await page.close();
  });

  it.each(SIZES)('reads well ($name)', async ({ name, ...size }) => {
    for (const path of ['/docs', '/docs/getting-started', '/docs/errors', '/problems']) {
      const { page, elsewhere, complaints } = await open(path, size);
      await page.locator('h1').waitFor();
      await picture(page, `${path.slice(1).replaceAll('/', '-')}-${name}`);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect({ path, isWider: width > size.width }).toEqual({ path, isWider: false });
      expect({ elsewhere, complaints }).toEqual({ elsewhere: [], complaints: [] });
      await page.close();
    }
  });
});
