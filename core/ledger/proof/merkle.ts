import { createHash } from 'node:crypto';

/**
 * The Merkle tree of RFC 6962 and RFC 9162, over a reader of complete subtrees, so that nothing has to
 * hold all leaves. Sizes are below 2^31.
 */

export const HASH_BYTES = 32;
const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

export type Hash = Buffer;

/** The hash of the complete subtree of 2^level leaves that begins at leaf `index * 2^level`. */
export type Subtree = (level: number, index: number) => Promise<Hash>;

export function leafHash(leaf: Uint8Array): Hash {
  return createHash('sha256').update(LEAF).update(leaf).digest();
}

export function nodeHash(left: Hash, right: Hash): Hash {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}

export function emptyRoot(): Hash {
  return createHash('sha256').digest();
}

/** Of a number of two or more: the largest power of two below it. */
function splitOf(count: number): number {
  return 1 << (31 - Math.clz32(count - 1));
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

interface Range {
  readonly from: number;
  readonly count: number;
}

/** A range begins at a multiple of the power of two that is next above its length, or ends the tree. */
async function rangeHash({ from, count }: Range, subtree: Subtree): Promise<Hash> {
  if (isPowerOfTwo(count)) {
    const level = 31 - Math.clz32(count);
    return subtree(level, from >>> level);
  }
  const split = splitOf(count);
  const left = await rangeHash({ from, count: split }, subtree);
  return nodeHash(left, await rangeHash({ from: from + split, count: count - split }, subtree));
}

export async function rootOf(size: number, subtree: Subtree): Promise<Hash> {
  return size === 0 ? emptyRoot() : rangeHash({ from: 0, count: size }, subtree);
}

/** What a leaf is hashed with on its way to the root, the nearest first. */
export async function inclusionPath(
  index: number,
  size: number,
  subtree: Subtree,
): Promise<readonly Hash[]> {
  const path: Hash[] = [];
  let range: Range = { from: 0, count: size };
  while (range.count > 1) {
    const split = splitOf(range.count);
    const left = { from: range.from, count: split };
    const right = { from: range.from + split, count: range.count - split };
    const isLeft = index < right.from;
    path.unshift(await rangeHash(isLeft ? right : left, subtree));
    range = isLeft ? left : right;
  }
  return path;
}

/** Shows that the tree of `second` leaves begins with that of `first`. */
export async function consistencyPath(
  first: number,
  second: number,
  subtree: Subtree,
): Promise<readonly Hash[]> {
  if (first === 0 || first === second) return [];
  const path: Hash[] = [];
  let range: Range = { from: 0, count: second };
  let left = first;
  let isWhole = true;
  while (left !== range.count) {
    const split = splitOf(range.count);
    const [near, far] = [
      { from: range.from, count: split },
      { from: range.from + split, count: range.count - split },
    ];
    const isNear = left <= split;
    path.unshift(await rangeHash(isNear ? far : near, subtree));
    if (!isNear) {
      left -= split;
      isWhole = false;
    }
    range = isNear ? near : far;
  }
  return isWhole ? path : [await rangeHash(range, subtree), ...path];
}

interface Inclusion {
  readonly leaf: Hash;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Hash[];
}

/** Where a hash stands in its row, and the last of that row. */
interface Place {
  readonly index: number;
  readonly last: number;
}

/** Its neighbour is on the left: it is the right one of two, or the last of an odd row. */
function isRight({ index, last }: Place): boolean {
  return (index & 1) === 1 || index === last;
}

function above({ index, last }: Place): Place {
  return { index: index >>> 1, last: last >>> 1 };
}

/** Past the rows in which it has no neighbour. */
function climbed(place: Place): Place {
  let at = place;
  if (isRight(at)) while ((at.index & 1) === 0 && at.index !== 0) at = above(at);
  return above(at);
}

/** The root that a path leads to; undefined: it is not a path of such a tree. */
export function rootByInclusion({ leaf, index, size, path }: Inclusion): Hash | undefined {
  if (index < 0 || index >= size) return undefined;
  let place: Place = { index, last: size - 1 };
  let hash = leaf;
  for (const sibling of path) {
    if (place.last === 0 || sibling.length !== HASH_BYTES) return undefined;
    hash = isRight(place) ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
    place = climbed(place);
  }
  return place.last === 0 ? hash : undefined;
}

interface Consistency {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Hash;
  readonly secondRoot: Hash;
  readonly path: readonly Hash[];
}

/** Whether the second tree begins with the first one. */
export function isConsistent(proof: Consistency): boolean {
  const { first, second, firstRoot, secondRoot, path } = proof;
  if (first > second) return false;
  if (first === second) return path.length === 0 && firstRoot.equals(secondRoot);
  if (first === 0) return path.length === 0 && firstRoot.equals(emptyRoot());
  const roots = rootsByConsistency(proof);
  return roots !== undefined && roots[0].equals(firstRoot) && roots[1].equals(secondRoot);
}

/** Both roots, as the path has them. */
function rootsByConsistency(proof: Consistency): readonly [Hash, Hash] | undefined {
  const { first, second, firstRoot, path } = proof;
  let place: Place = { index: first - 1, last: second - 1 };
  while ((place.index & 1) === 1) place = above(place);
  const [start, ...rest] = isPowerOfTwo(first) ? [firstRoot, ...path] : path;
  if (start === undefined) return undefined;
  let [one, two] = [start, start];
  for (const step of rest) {
    if (place.last === 0) return undefined;
    if (isRight(place)) [one, two] = [nodeHash(step, one), nodeHash(step, two)];
    else two = nodeHash(two, step);
    place = climbed(place);
  }
  return place.last === 0 ? [one, two] : undefined;
}
