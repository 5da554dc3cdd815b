import type { Readable, Writable } from 'node:stream';
import { type DevFile, readDevFile } from './dev-file.ts';
import { EXIT } from './exit.ts';

/** What a command has of the world around it; tests hand over another one. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `npm start` left, if anything. */
  readonly dev: DevFile | undefined;
  /** Sets the exit code; the process ends by itself when there is nothing left to do. */
  readonly exit: (code: number) => void;
}

/** The world of this process. A reader that goes away (`| head`) ends it quietly. */
export function processIo(): Io {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.ok);
  });
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    dev: readDevFile(),
    exit: (code) => {
      process.exitCode = code;
    },
  };
}
