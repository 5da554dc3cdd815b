import { Ajv2020 } from 'ajv/dist/2020.js';
import { createRouter } from '../../api/http/router.ts';
import type { Endpoint } from '../../api/http/endpoint.ts';
import { openApiDocument } from '../../api/openapi/document.ts';
import { ENDPOINTS } from '../../api/routes/index.ts';

/** An answer, as any client gets it. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const document = openApiDocument(ENDPOINTS);

const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  validateSchema: false,
  formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
});
ajv.addSchema(document, 'openapi');

/** Codes with which a request is refused before it has come to an endpoint. */
const AT_THE_DOOR = [
  'route_not_found',
  'method_not_allowed',
  'expectation_failed',
  'invalid_request',
  'invalid_header',
];

const byHandle = new Map<unknown, Endpoint>();
const router = createRouter(
  ENDPOINTS.map((endpoint) => {
    const handle = async (): Promise<void> => undefined;
    byHandle.set(handle, endpoint);
    return { ...endpoint, handle };
  }),
);

/**
 * What of an answer is not as the reference says; undefined: nothing. Every answer in the tests of
 * the API is looked at.
 */
export function contractBreach(method: string, path: string, answer: Answered): string | undefined {
  const endpoint = endpointAt(method, path);
  if (endpoint === undefined) return doorBreach(answer);
  const breach = breachOf(endpoint, method, answer);
  return breach === undefined
    ? undefined
    : `${method} ${endpoint.path} ${answer.status}: ${breach}`;
}

function endpointAt(method: string, path: string): Endpoint | undefined {
  try {
    return byHandle.get(router.find(method, path.split('?')[0] ?? '')?.handle);
  } catch {
    return undefined; // refused at the door
  }
}

function doorBreach(answer: Answered): string | undefined {
  const { status, headers, text } = answer;
  if (status < 400 || headers.get('content-type') !== 'application/problem+json' || text === '') {
    return undefined; // pages of the admin, or the answer to a HEAD
  }
  return schemaBreach('#/components/schemas/Problem', JSON.parse(text));
}

function breachOf(endpoint: Endpoint, method: string, answer: Answered): string | undefined {
  if (isFromTheDoor(answer)) return doorBreach(answer);
  const { status, headers } = answer;
  const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}');
  const at = ['paths', path, endpoint.method.toLowerCase(), 'responses', String(status)];
  const stated = document.paths[path]?.[endpoint.method.toLowerCase()]?.responses[String(status)];
  if (stated === undefined) return 'the reference does not know this status';
  const missing = requiredHeaders(status).find((name) => headers.get(name) === null);
  if (missing !== undefined) return `the header ${missing} is missing`;
  return '$ref' in stated
    ? bodyBreach(shared(stated.$ref), stated.$ref, { method, answer })
    : bodyBreach(stated, `#/${at.map(segment).join('/')}`, { method, answer });
}

interface Asked {
  readonly method: string;
  readonly answer: Answered;
}

function bodyBreach(
  response: ReturnType<typeof shared>,
  at: string,
  { method, answer: { headers, text } }: Asked,
): string | undefined {
  if (response?.content === undefined) return text === '' ? undefined : 'there should be no body';
  const [mediaType = 'no body'] = (headers.get('content-type') ?? '').split(';');
  if (!Object.hasOwn(response.content, mediaType)) {
    return `${mediaType} instead of ${Object.keys(response.content).join(' or ')}`;
  }
  if (method === 'HEAD' || !mediaType.endsWith('json')) return undefined;
  const pointer = ['content', mediaType, 'schema'].map(segment).join('/');
  return schemaBreach(`${at}/${pointer}`, JSON.parse(text));
}

function isFromTheDoor({ status, text }: Answered): boolean {
  if (status !== 405 && status !== 417 && status !== 404) return false;
  return AT_THE_DOOR.some((code) => text.includes(`"code":"${code}"`));
}

function requiredHeaders(status: number): readonly string[] {
  const always = ['x-correlation-id', 'x-content-type-options', 'cache-control'];
  if (status === 401 || status === 403) return [...always, 'www-authenticate'];
  return status === 429 ? [...always, 'retry-after'] : always;
}

const shared = (ref: string) => document.components.responses[ref.split('/').at(-1) ?? ''];

const segment = (text: string): string =>
  encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));

function schemaBreach(pointer: string, value: unknown): string | undefined {
  const validate = ajv.getSchema(`openapi${pointer}`);
  if (validate === undefined) return `no schema at ${pointer}`;
  if (validate(value) === true) return undefined;
  const errors = (validate.errors ?? []).slice(0, 8);
  return errors
    .map(
      ({ instancePath, message, params }) =>
        `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
    )
    .join('; ');
}
