/**
 * A small mistake that can be planted into the code, to see whether anything notices. The tables of
 * `bugs/` list them; `npm run planted` plants one at a time in a copy of the tree and runs the tests
 * that must go red.
 */
export interface PlantedBug {
  /** What goes wrong for a user, in a few words; unique. */
  readonly name: string;
  /** The file that is changed, from the root. */
  readonly file: string;
  /** Text that stands exactly once in it. */
  readonly find: string;
  readonly replace: string;
  /** Test files, from the root, each of which must go red by itself. */
  readonly foundBy: readonly [string, ...string[]];
}
