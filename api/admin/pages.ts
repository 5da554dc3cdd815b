import type { Reply } from '../http/reply.ts';
import { html, htmlReply } from './html.ts';

export function lockedPage(): Reply {
  return htmlReply({
    title: 'Admin is shut',
    status: 503,
    body: html`<h1>Admin is shut</h1>
      <p>
        Set <code>ADMIN_PASSWORD</code> (at least 8 characters) in the environment of the API and
        start it again.
      </p>`,
  });
}

interface LoginPage {
  /** Where to go afterwards. */
  readonly next: string;
  readonly status?: number;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function loginPage({ next, status = 200, message = '', headers = {} }: LoginPage): Reply {
  return htmlReply({
    title: 'Sign in',
    status,
    headers,
    body: html`<h1>Sluice admin</h1>
      <form method="post" action="/admin/login">
        <input type="hidden" name="next" value="${next}" />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autofocus
          required
          autocomplete="current-password"
        />
        <button>Sign in</button>
        <p class="error" role="alert">${message}</p>
      </form>`,
  });
}
