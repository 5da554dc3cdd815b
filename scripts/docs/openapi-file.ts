import type { Endpoint } from '../../api/http/endpoint.ts';
import { openApiDocument } from '../../api/openapi/document.ts';

/** The reference as it is served, with line breaks. */
export function openApiFile(endpoints: readonly Endpoint[]): string {
  return `${JSON.stringify(openApiDocument(endpoints), undefined, 2)}\n`;
}
