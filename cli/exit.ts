/** What the command's exit code says; scripts may rely on it. */
export const EXIT = {
  ok: 0,
  /** It ran to its end, and something was refused, rejected or found wrong. */
  failed: 1,
  /** Wrong arguments, a missing file, a key that is not accepted: the same command cannot succeed. */
  usage: 2,
  /** A server stayed away too long; the same command may succeed later. */
  gaveUp: 3,
  /** All went well, but for lines that were taken for those of an earlier file of that name. */
  partlyKnown: 4,
  /** There was nothing to look at, so nothing can be said. */
  nothing: 5,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a sentence for a person; everything else that is thrown is a bug. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** Ctrl-C, as the work that it stops sees it. */
export class InterruptedError extends CliError {
  constructor() {
    super('interrupted', EXIT.interrupted);
  }
}
