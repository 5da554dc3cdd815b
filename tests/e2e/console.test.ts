import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, type Page, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureConsole } from '../../scripts/dev/console.ts';
import { ADMIN_PASSWORD, useApi } from '../support/api.ts';
import { type Sample, makeSample, succeed } from '../support/http-fixtures.ts';

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
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const WIDE = { width: 1_280, height: 900 };
const PHONE = { width: 390, height: 844 };
const SMALLEST = { width: 360, height: 740 };

interface Shown {
  readonly name: string;
  readonly path: (sample: Sample & { readonly stuckId: string }) => string;
  /** There once the page has what it shows. */
  readonly text: string;
}

const PAGES: readonly Shown[] = [
  { name: 'overview', path: () => '', text: 'notify-email' },
  { name: 'attention', path: () => '/attention', text: 'wallet.credit: internal' },
  { name: 'operations', path: () => '/operations', text: 'wallet.credit' },
  { name: 'operation', path: ({ creditId }) => `/operations/${creditId}`, text: 'enqueued' },
  { name: 'stuck', path: ({ stuckId }) => `/operations/${stuckId}`, text: 'Resolve' },
  { name: 'users', path: () => '/users', text: 'bob' },
  { name: 'user', path: () => '/users/ann', text: 'hold.place' },
  { name: 'wallet', path: ({ walletId }) => `/wallets/${walletId}`, text: 'real credit' },
  { name: 'deliveries', path: () => '/deliveries', text: 'webhook-endpoint.test' },
  {
    name: 'delivery',
    path: ({ deliveryId }) => `/deliveries/${deliveryId}`,
    text: 'Attempts used',
  },
  { name: 'webhooks', path: () => '/webhooks', text: '93.184.215.14' },
  {
    name: 'webhook',
    path: ({ endpointId }) => `/webhooks/${endpointId}`,
    text: 'Deliveries to it',
  },
  { name: 'templates', path: () => '/templates', text: 'Hello {{name}}' },
  { name: 'rules', path: () => '/rules', text: 'built in' },
  { name: 'suppressions', path: () => '/suppressions', text: 'gone@example.test' },
  { name: 'missing', path: () => '/operations/op_none', text: 'There is no such operation' },
  { name: 'nowhere', path: () => '/nowhere', text: 'There is no such page' },
];

describe.skipIf(!existsSync(BROWSER))(`the console in a browser (needs ${BROWSER})`, () => {
  const api = useApi({ worker: true });
  let browser: Browser | undefined;
  let sample: Sample;
  let stuckId = '';
  /** One page for all that is only looked at. */
  let looker: Page | undefined;
  let cookies: Awaited<ReturnType<BrowserContext['cookies']>> = [];
  /** What browsers complained about, and where they asked anything but us. */
  const complaints: string[] = [];
  const strangers: string[] = [];

  beforeAll(async () => {
    await ensureConsole();
    browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
    sample = await makeSample(api);
    await api.newTenant('second');
    stuckId = await makeStuck();
    const context = await newContext({}, false);
    const page = await context.newPage();
    await page.goto(`${api.url}/admin`);
    await signIn(page, ADMIN_PASSWORD);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    cookies = await context.cookies();
    await context.close();
  });
  afterAll(async () => {
    await browser?.close();
  });

  /** An operation that a person has to look at, as the platform parks one. */
  async function makeStuck(): Promise<string> {
    const credit = { userId: 'ann', currency: 'EUR', amount: 77 };
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const made = await api.post('/v1/operations', {
      type: 'wallet.credit',
      input: credit,
      runAt: later,
    });
    const error = { code: 'internal', detail: 'Its decision has failed five times' };
    await api.db
      .collection('operations')
      .updateOne({ _id: made.body.id }, { $set: { status: 'needs_attention', error } });
    return made.body.id as string;
  }

  async function newContext(
    options: NonNullable<Parameters<Browser['newContext']>[0]> = {},
    isSignedIn = true,
  ): Promise<BrowserContext> {
    if (browser === undefined) throw new Error('the browser did not start');
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    if (isSignedIn) await context.addCookies(cookies);
    context.on('request', (request) => {
      if (!request.url().startsWith(api.url)) strangers.push(request.url());
    });
    context.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    context.on('weberror', (error) => complaints.push(error.error().message));
    return context;
  }

  async function signIn(page: Page, password: string): Promise<void> {
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  it('lets in by the password only, and then to the page that was asked for', async () => {
    const context = await newContext({}, false);
    const page = await context.newPage();
    await page.goto(`${api.url}/admin/operations?status=rejected`);
    expect(new URL(page.url()).pathname).toBe('/admin/login');
    await signIn(page, 'wrong');
    await page.getByText('That is not the password.').waitFor();
    complaints.length = 0; // the browser mentions the 401 of the form
    await signIn(page, ADMIN_PASSWORD);
    await page.waitForURL(`${api.url}/admin/operations?status=rejected`);
    await page.getByText('No operation of this tenant is like that.').waitFor();
    await context.close();
  });

  it('shows numbers that move when transfers are sent', async () => {
    const context = await newContext();
    const page = await context.newPage();
    await page.goto(`${api.url}/admin`);
    const figure = page.locator('.figure', { hasText: 'Accepted in all' });
    const read = async (): Promise<number> =>
      Number((await figure.locator('.figure-value').textContent())?.replaceAll(/\D/g, ''));
    await expect.poll(read, { timeout: 10_000 }).toBeGreaterThan(0);
    const before = await read();
    const chart = page.getByRole('img', { name: /^Operations per second/ });
    await chart.waitFor();
    const money = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 1 };
    for (let sent = 0; sent < 5; sent += 1) await succeed(api, '/v1/transfers', money);
    await expect.poll(read, { timeout: 10_000 }).toBe(before + 5);
    expect(await chart.getAttribute('aria-label')).toMatch(/accepted [\d.]+, settled [\d.]+/);
    await picture(page, 'charts');
    await context.close();
  });

  it('leads from a pasted id to its page, and from one tenant to another', async () => {
    const context = await newContext();
    const page = await context.newPage();
    await page.goto(`${api.url}/admin`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.keyboard.press('Control+K');
    await page.getByRole('combobox', { name: 'Search' }).fill(`see ${sample.creditId}, please`);
    await picture(page, 'palette');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${api.url}/admin/operations/${sample.creditId}`);
    await page.getByText('10.00 EUR').first().waitFor();
    await page.getByLabel('Tenant').selectOption('second');
    await page.getByText('There is no such operation').waitFor();
    await page.goto(`${api.url}/admin/operations/${sample.creditId}?tenant=default`);
    await page.getByText('10.00 EUR').first().waitFor();
    complaints.length = 0; // the browser mentions the 404
    await context.close();
  });

  it('finds operations by what is known of them, and keeps the view', async () => {
    const context = await newContext();
    const page = await context.newPage();
    await page.goto(`${api.url}/admin/operations`);
    await page.getByLabel('Operation ids').fill(sample.creditId);
    await page.keyboard.press('Enter');
    await page.waitForURL(/ids=op_/);
    await expect.poll(() => page.locator('tbody tr').count(), { timeout: 5_000 }).toBe(1);
    await page.getByLabel('Operation ids').fill('');
    await page.getByLabel('Status').selectOption('needs_attention');
    await page.waitForURL(/status=needs_attention$/);
    await page.getByRole('button', { name: 'Save this view' }).click();
    await page.getByLabel('Name').fill('stuck ones');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.goto(`${api.url}/admin/operations`);
    await page.getByRole('link', { name: 'stuck ones' }).click();
    await page.waitForURL(/status=needs_attention$/);
    await context.close();
  });

  it('resolves what needs attention by clicks, under the name of the operator', async () => {
    const context = await newContext();
    const page = await context.newPage();
    const id = await makeStuck();
    await page.goto(`${api.url}/admin/attention`);
    await page.locator(`a[href="/admin/operations/${id}"]`).click();
    await page.getByRole('button', { name: 'Resolve' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Closes an operation that needs attention').waitFor();
    const act = dialog.getByRole('button', { name: 'Resolve' });
    expect(await act.isDisabled()).toBe(true); // not without an outcome and a reason
    await dialog.getByLabel('What it has come to').selectOption('rejected');
    await dialog.getByLabel(/^Why/).fill('Paid back by hand');
    await picture(page, 'resolve');
    await act.click();
    await page.getByText('operator:admin').first().waitFor();
    const stored = await api.db.collection('operations').findOne({ _id: id as never });
    expect(stored).toMatchObject({
      status: 'rejected',
      resolution: { note: 'Paid back by hand', by: 'operator:admin' },
    });
    await context.close();
  });

  it('counts what would be sent again before it is', async () => {
    const context = await newContext();
    const page = await context.newPage();
    await page.goto(`${api.url}/admin/deliveries?status=failed&channel=webhook`);
    await page.getByRole('button', { name: 'Send these again…' }).click();
    await page.getByRole('dialog').getByText('Counted').waitFor();
    await picture(page, 'replay');
    expect(await api.db.collection('deliveries').countDocuments({ resends: { $gt: 0 } })).toBe(0);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await context.close();
  });

  it('does nothing for another site, whatever it sends with the cookie', async () => {
    const before = await api.operations();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const credit = { userId: 'ann', currency: 'EUR', amount: 1 };
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'https://evil.example', 'sluice-console': '1' },
    ]) {
      const answer = await api.post('/v1/credits', credit, {
        key: null,
        headers: { cookie, ...headers },
      });
      expect(answer.status).toBeGreaterThanOrEqual(401);
    }
    expect(await api.operations()).toBe(before);
  });

  it.each(PAGES)('has no page that is hard to use: $name', async ({ name, path, text }) => {
    const page = (looker ??= await (await newContext()).newPage());
    await page.setViewportSize(WIDE);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(`${api.url}/admin${path({ ...sample, stuckId })}`);
    const shown = page.locator('#main').getByText(text).locator('visible=true');
    await shown.first().waitFor({ timeout: 10_000 });
    expect(await axeFaults(page, TAGS)).toEqual([]);
    await picture(page, `${name}-wide-light`);
    // Another theme has other colours and nothing else.
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await axeFaults(page, ['color-contrast'])).toEqual([]);
    await picture(page, `${name}-wide-dark`);
    await page.setViewportSize(PHONE);
    await picture(page, `${name}-phone-dark`);
    expect(await axeFaults(page, TAGS)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    await picture(page, `${name}-phone-light`);
    await page.setViewportSize(SMALLEST);
    const width = Number(await page.evaluate('document.documentElement.scrollWidth'));
    expect(width).toBeLessThanOrEqual(SMALLEST.width);
  });

  it('is quiet: nothing from elsewhere, no complaint of a browser', () => {
    const isExpected = (text: string): boolean => text.includes('status of 404');
    expect(strangers).toEqual([]);
    expect(complaints.filter((text) => !isExpected(text))).toEqual([]);
  });

  async function axeFaults(page: Page, runOnly: readonly string[]): Promise<readonly string[]> {
    // As the browser's own tools do it: the policy of the page does not let in a script of ours.
    await page.evaluate(AXE);
    const run = `axe.run(document, ${JSON.stringify({ runOnly })})`;
    const { violations } = await page.evaluate<AxeResults>(run);
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => {
        const where = nodes.map(({ html }) => html).join(' ');
        return `${id} ${where.slice(0, 300)}`;
      });
  }

  async function picture(page: Page, name: string): Promise<void> {
    const folder = process.env['SCREENSHOTS'];
    if (folder !== undefined) {
      await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    }
  }
});
