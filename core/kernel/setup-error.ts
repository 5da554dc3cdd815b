/** What is there does not fit what the process was told: a sentence for whoever starts it. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
