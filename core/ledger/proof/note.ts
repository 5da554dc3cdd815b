import {
  type KeyObject,
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
} from 'node:crypto';

/**
 * Signed notes as of C2SP (signed-note, tlog-checkpoint): the text, an empty line, and lines of
 * signatures `— <name> <base64 of 4 bytes of key id and the Ed25519 signature>`.
 */

const ED25519 = Buffer.from([1]);
const SEED_BYTES = 32;
const ID_BYTES = 4;
/** What PKCS #8 and SPKI put before the 32 bytes of an Ed25519 key (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

export interface Signer {
  readonly name: string;
  /** `<name>+<key id in hex>+<base64 of 1 and the public key>`: what checks the signatures. */
  readonly publicKey: string;
  sign(text: string): string;
}

function keyIdOf(name: string, key: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(`${name}\n`), ED25519, key]);
  return createHash('sha256').update(named).digest().subarray(0, ID_BYTES);
}

/** `seed`: 32 bytes. The same text always gets the same signature. */
export function createSigner(name: string, seed: Buffer): Signer {
  if (seed.length !== SEED_BYTES) throw new Error('an Ed25519 key has 32 bytes');
  const der = Buffer.concat([PKCS8, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const raw = spki.subarray(SPKI.length);
  const id = keyIdOf(name, raw);
  const encoded = Buffer.concat([ED25519, raw]).toString('base64');
  return Object.freeze({
    name,
    publicKey: `${name}+${id.toString('hex')}+${encoded}`,
    sign: (text: string) => {
      const signature = sign(null, Buffer.from(text), privateKey);
      const line = Buffer.concat([id, signature]).toString('base64');
      return `${text}\n— ${name} ${line}\n`;
    },
  });
}

interface PublicKey {
  readonly name: string;
  readonly id: Buffer;
  readonly key: KeyObject;
}

function readPublicKey(text: string): PublicKey | undefined {
  const [, name = '', id = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  const raw = bytes.subarray(1);
  if (raw.length !== SEED_BYTES || bytes[0] !== 1) return undefined;
  if (keyIdOf(name, raw).toString('hex') !== id) return undefined;
  const der = Buffer.concat([SPKI, raw]);
  return {
    ...{ name, id: Buffer.from(id, 'hex') },
    key: createPublicKey({ key: der, format: 'der', type: 'spki' }),
  };
}

/** The text of a note that the key has signed; undefined: it has not, or is no key. */
export function openNote(note: string, publicKey: string): string | undefined {
  const known = readPublicKey(publicKey);
  const cut = note.lastIndexOf('\n\n');
  if (known === undefined || cut < 0) return undefined;
  const text = note.slice(0, cut + 1);
  for (const line of note.slice(cut + 2).split('\n')) {
    const [, name, encoded = ''] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = Buffer.from(encoded, 'base64');
    if (name !== known.name || !bytes.subarray(0, ID_BYTES).equals(known.id)) continue;
    if (verify(null, Buffer.from(text), known.key, bytes.subarray(ID_BYTES))) return text;
  }
  return undefined;
}

/** What a checkpoint says: whose log, how many entries, and their root. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${String(size)}\n${root.toString('base64')}\n`;
}

export function readCheckpoint(text: string): Checkpoint | undefined {
  const [origin = '', size = '', encoded = ''] = text.split('\n');
  const root = Buffer.from(encoded, 'base64');
  const isRead = origin !== '' && /^(0|[1-9]\d{0,9})$/.test(size) && root.length === SEED_BYTES;
  return isRead ? { origin, size: Number.parseInt(size, 10), root } : undefined;
}
