/** Why a line is refused: by us before it is sent, by the API, or by the ledger at settlement. */
export interface Problem {
  readonly code: string;
  readonly detail: string;
  /** JSON pointer into the item. */
  readonly pointer?: string;
}

export type Item = Readonly<Record<string, unknown>>;

/** A line or record, understood or not. */
export type Content = { readonly item: Item } | { readonly problem: Problem };

/** What a file says in one place: an operation to submit, or why it is none. */
export type SourceRecord = Place & Content;

export interface Place {
  /** Line of the file, from 1; the first of a CSV record that spans several. */
  readonly line: number;
  /** As it stands in the file. */
  readonly text: string;
  /** Bytes of the file up to and with this record. */
  readonly endByte: number;
}

/** A line that could not become an item even alone: bodies are limited to 1 MB. */
export const LINE_BYTES_MAX = 1_000_000;

export const TEXT_PROBLEMS = {
  'too-long': {
    code: 'body_too_large',
    detail: `The line is longer than ${String(LINE_BYTES_MAX)} bytes`,
  },
  'not-utf8': { code: 'invalid_encoding', detail: 'The line is not valid UTF-8' },
} as const satisfies Record<string, Problem>;
