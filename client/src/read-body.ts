import { SluiceError } from './errors.ts';

/**
 * The text of an answer, up to a ceiling: what lies beyond is not read.
 *
 * @throws SluiceError `response_too_large`, and what the connection throws.
 */
export async function readText(response: Response, bytesMax: number): Promise<string> {
  const body = response.body as ReadableStream<Uint8Array> | null;
  if (body === null) return '';
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let bytes = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      reader.cancel().catch(() => undefined); // it is let go in any case
      throw new SluiceError('response_too_large', `The answer has more than ${bytesMax} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}
