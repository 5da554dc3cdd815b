import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

interface HookCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly atMs: number;
}

/** A webhook receiver that answers each path in its own way; undefined: it never answers. */
export interface HookServer {
  readonly url: string;
  calls(path: string): readonly HookCall[];
}

export async function startHookServer(
  answer: (path: string) => Answer | undefined,
): Promise<HookServer> {
  const calls: HookCall[] = [];
  const server = createServer((request, response) => {
    const { url: path = '/', headers } = request;
    calls.push({ path, headers, atMs: Date.now() });
    request.resume();
    const said = answer(path);
    if (said !== undefined) response.writeHead(said.status, said.headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls: (path) => calls.filter((call) => call.path === path),
  };
}
