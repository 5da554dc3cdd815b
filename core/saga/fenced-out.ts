/** The claim belongs to somebody else: stop, write nothing, call nobody, acknowledge. */
export class FencedOut extends Error {
  override readonly name = 'FencedOut';
}
