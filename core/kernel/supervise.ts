/**
 * Lets work run on its own, with its failure going somewhere: the one way to start something
 * without awaiting it.
 */
export function supervise(work: Promise<unknown>, onError: (error: unknown) => void): void {
  work.catch(onError);
}
