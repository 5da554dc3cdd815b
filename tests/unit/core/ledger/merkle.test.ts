import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type Subtree,
  consistencyPath,
  emptyRoot,
  inclusionPath,
  isConsistent,
  leafHash,
  nodeHash,
  rootByInclusion,
  rootOf,
} from '../../../../core/ledger/proof/merkle.ts';
import {
  checkpointText,
  createSigner,
  openNote,
  readCheckpoint,
} from '../../../../core/ledger/proof/note.ts';
import { allOf } from '../../../../core/kernel/every.ts';

const SIZE_MAX = 40;
const leaves = Array.from({ length: SIZE_MAX }, (_, index) => Buffer.from(`leaf ${String(index)}`));

/** As the text of RFC 6962, 2.1, has it: written anew, of arrays. */
const sha = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();
const one = Buffer.from([1]);
function largestBelow(count: number): number {
  let k = 1;
  while (k * 2 < count) k *= 2;
  return k;
}
function mth(data: readonly Buffer[]): Buffer {
  const [first] = data;
  if (first === undefined) return sha();
  if (data.length === 1) return sha(Buffer.from([0]), first);
  const k = largestBelow(data.length);
  return sha(one, mth(data.slice(0, k)), mth(data.slice(k)));
}
function pathOf(m: number, data: readonly Buffer[]): readonly Buffer[] {
  if (data.length === 1) return [];
  const k = largestBelow(data.length);
  return m < k
    ? [...pathOf(m, data.slice(0, k)), mth(data.slice(k))]
    : [...pathOf(m - k, data.slice(k)), mth(data.slice(0, k))];
}
function subproof(m: number, data: readonly Buffer[], isWhole: boolean): readonly Buffer[] {
  if (m === data.length) return isWhole ? [] : [mth(data)];
  const k = largestBelow(data.length);
  return m <= k
    ? [...subproof(m, data.slice(0, k), isWhole), mth(data.slice(k))]
    : [...subproof(m - k, data.slice(k), false), mth(data.slice(0, k))];
}

const subtree: Subtree = async (level, index) => {
  if (level === 0) return leafHash(leaves[index] ?? Buffer.alloc(0));
  const left = await subtree(level - 1, 2 * index);
  return nodeHash(left, await subtree(level - 1, 2 * index + 1));
};

const flip = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

describe('the Merkle tree', () => {
  it('has the roots of the test vectors of RFC 6962', async () => {
    const inputs = [
      ...['', '00', '10', '2021', '3031', '40414243', '5051525354555657'],
      '606162636465666768696a6b6c6d6e6f',
    ].map((hex) => Buffer.from(hex, 'hex'));
    const of: Subtree = async (level, index) => {
      if (level === 0) return leafHash(inputs[index] ?? Buffer.alloc(0));
      return nodeHash(await of(level - 1, 2 * index), await of(level - 1, 2 * index + 1));
    };
    const roots: string[] = [];
    for (let size = 0; size <= 8; size += 1) roots.push((await rootOf(size, of)).toString('hex'));
    expect(roots).toEqual([
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]);
  });

  it('proves each leaf of each size up to 40, and no changed byte passes', async () => {
    for (let size = 1; size <= SIZE_MAX; size += 1) {
      const data = leaves.slice(0, size);
      const root = mth(data);
      expect(await rootOf(size, subtree)).toEqual(root);
      for (const [index, text] of data.entries()) {
        const path = await inclusionPath(index, size, subtree);
        expect(path).toEqual(pathOf(index, data));
        const leaf = leafHash(text);
        expect(rootByInclusion({ leaf, index, size, path })).toEqual(root);
        for (let at = 0; at < 32; at += 5) {
          const bent = path.map((hash, place) =>
            place === at % path.length ? flip(hash, at) : hash,
          );
          if (path.length > 0) {
            expect(rootByInclusion({ leaf, index, size, path: bent })).not.toEqual(root);
          }
          expect(rootByInclusion({ leaf: flip(leaf, at), index, size, path })).not.toEqual(root);
        }
        const other = index === 0 ? size : index - 1;
        if (size > 1) expect(rootByInclusion({ leaf, index: other, size, path })).not.toEqual(root);
        expect(rootByInclusion({ leaf, index, size, path: [...path, leaf] })).toBeUndefined();
        if (path.length > 0) {
          expect(rootByInclusion({ leaf, index, size, path: path.slice(1) })).not.toEqual(root);
        }
      }
    }
  });

  it('proves that each size begins with each smaller one, and nothing else does', async () => {
    for (let second = 1; second <= SIZE_MAX; second += 1) {
      for (let first = 0; first <= second; first += 1) {
        const path = await consistencyPath(first, second, subtree);
        if (first > 0) expect(path).toEqual(subproof(first, leaves.slice(0, second), true));
        const roots = {
          firstRoot: first === 0 ? emptyRoot() : mth(leaves.slice(0, first)),
          secondRoot: mth(leaves.slice(0, second)),
        };
        expect(isConsistent({ first, second, ...roots, path })).toBe(true);
        const bent = path.map((hash) => flip(hash, 3));
        if (path.length > 0) {
          expect(isConsistent({ first, second, ...roots, path: bent })).toBe(false);
        }
        const firstRoot = flip(roots.firstRoot, 9);
        expect(isConsistent({ first, second, ...roots, firstRoot, path })).toBe(false);
        const secondRoot = flip(roots.secondRoot, 9);
        const isBentSeen =
          first === 0 || !isConsistent({ first, second, ...roots, secondRoot, path });
        expect(isBentSeen).toBe(true);
      }
    }
  });
});

describe('a signed checkpoint', () => {
  const signer = createSigner('log.example', Buffer.alloc(32, 7));
  const text = checkpointText({ origin: 'log.example/t', size: 9, root: Buffer.alloc(32, 1) });
  const note = signer.sign(text);

  it('opens with its key, and says what it said', () => {
    expect(openNote(note, signer.publicKey)).toBe(text);
    expect(readCheckpoint(text)).toEqual({
      ...{ origin: 'log.example/t', size: 9, root: Buffer.alloc(32, 1) },
    });
    expect(signer.sign(text)).toBe(note);
  });

  it('does not open with another key or name, nor with any byte changed', () => {
    const other = createSigner('log.example', Buffer.alloc(32, 8));
    const named = createSigner('log.other', Buffer.alloc(32, 7));
    expect(openNote(note, other.publicKey)).toBeUndefined();
    expect(openNote(note, named.publicKey)).toBeUndefined();
    expect(openNote(note, 'nonsense')).toBeUndefined();
    const bytes = Buffer.from(note);
    const isRefused = allOf([...bytes.keys()].slice(0, text.length), (at) => {
      return openNote(flip(bytes, at).toString(), signer.publicKey) === undefined;
    });
    expect(isRefused).toBe(true);
  });
});
