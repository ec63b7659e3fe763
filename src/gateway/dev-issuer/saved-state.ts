import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import type { JWK } from 'jose';
import { isRecord, parseJsonObject } from '../../http/json-object.js';
import type { Logger } from '../../index.js';
import type { StoreDump } from './dev-issuer-store.js';

/** The state that the development issuer keeps across restarts, so that clients stay logged in. */
export interface SavedState {
  /** The private key that signs tokens. */
  readonly key: JWK;
  /** Seals client ids. */
  readonly secret: string;
  readonly dump: StoreDump;
  /** Saves a dump for the next start. */
  save(dump: StoreDump): void;
}

type Contents = Omit<SavedState, 'save'>;

const NOTE = 'Keys of express-mcp-auth --dev-issuer, for development only. Do not commit this file.';

/**
 * Reads the file, or creates it. A file that cannot be trusted or used stays as it is: the issuer then has new keys, which
 * are lost when it ends, and a warning says what to do.
 *
 * @param file Undefined: nothing is saved.
 */
export function openSavedState(file: string | undefined, logger: Logger): SavedState {
  const unsaved = (): SavedState => ({ ...createContents(), save: () => undefined });
  if (file === undefined) return unsaved();
  try {
    const contents = existsSync(file) ? readContents(file) : createFile(file, logger);
    return { ...contents, save: (dump) => update(file, { ...contents, dump }, logger) };
  } catch (error) {
    const fix = `delete or correct the file; until then clients must log in again after each restart`;
    logger.warn(`the keys of the development issuer cannot be saved: ${file} ${describe(error)}: ${fix}`);
    return unsaved();
  }
}

/** The reason why a file is not used. `message` follows the file's name in a sentence. */
class UnusableFile extends Error {}

function describe(error: unknown): string {
  if (error instanceof UnusableFile) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ELOOP' ? 'is a symbolic link' : `cannot be read or written (${code ?? 'unknown reason'})`;
}

const USE = { alg: 'ES256', use: 'sig' };

/** Creates a private key that signs tokens. */
export function createKey(): JWK {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = randomBytes(8).toString('base64url');
  return { ...privateKey.export({ format: 'jwk' }), kid, ...USE } as JWK;
}

function createContents(): Contents {
  return { key: createKey(), secret: randomBytes(32).toString('base64url'), dump: [] };
}

function readContents(file: string): Contents {
  // O_NONBLOCK: otherwise, opening a FIFO waits for a writer.
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    requirePrivate(descriptor);
    return parseContents(readFileSync(descriptor, 'utf8'));
  } finally {
    closeSync(descriptor);
  }
}

/** Refuses a file that other users can read, since they could sign tokens, or write, since they could replace the key. */
function requirePrivate(descriptor: number): void {
  const status = fstatSync(descriptor);
  if (!status.isFile()) throw new UnusableFile('is not a regular file');
  // Windows has no such modes and owners.
  if (process.getuid === undefined) return;
  if (status.uid !== process.getuid()) throw new UnusableFile('belongs to another user');
  if ((status.mode & 0o077) !== 0)
    throw new UnusableFile('can be read or written by other users of this machine (chmod 600)');
}

function parseContents(text: string): Contents {
  const { key, secret, dump } = parseJsonObject(text) ?? {};
  const { kty, crv, x, y, d, kid } = (key ?? {}) as JWK;
  const isWhole = [x, y, d, kid, secret].every((part) => typeof part === 'string' && part !== '');
  const whole: JWK = { kty, crv, x, y, d, kid, ...USE } as JWK;
  if (!isWhole || kty !== 'EC' || crv !== 'P-256' || !isDump(dump) || !isPair(whole)) {
    throw new UnusableFile('does not contain the state of a development issuer');
  }
  return { key: whole, secret: secret as string, dump };
}

/** True if the public part belongs to the private part: otherwise no token would verify. */
function isPair(key: JWK): boolean {
  const { d: _private, ...publicKey } = key;
  const text = Buffer.from('a token');
  try {
    const signature = sign('sha256', text, createPrivateKey({ key, format: 'jwk' }));
    return verify('sha256', text, createPublicKey({ key: publicKey, format: 'jwk' }), signature);
  } catch {
    // For example, x and y are not a point on the curve.
    return false;
  }
}

function isDump(value: unknown): value is StoreDump {
  const isTimeOrAbsent = (time: unknown) => time === undefined || Number.isFinite(time);
  const isEntry = (entry: unknown) =>
    Array.isArray(entry) &&
    typeof entry[0] === 'string' &&
    isRecord(entry[1]) &&
    isRecord(entry[1].value) &&
    isTimeOrAbsent(entry[1].ttl) &&
    isTimeOrAbsent(entry[1].start);
  return Array.isArray(value) && value.every(isEntry);
}

function createFile(file: string, logger: Logger): Contents {
  const contents = createContents();
  write(file, contents);
  logger.info(`the keys of the development issuer are kept in ${file}: do not commit it`);
  return contents;
}

/** Saves at the end of a run. Leaves a file alone that was deleted during the run, or replaced by another run. */
function update(file: string, contents: Contents, logger: Logger): void {
  if (!existsSync(file)) return;
  const next = `${file}.${process.pid}`;
  try {
    if (readContents(file).key.kid !== contents.key.kid) return;
    write(next, contents);
    renameSync(next, file);
  } catch (error) {
    logger.warn(`${file} ${describe(error)}: clients must log in again after this restart`);
  }
}

function write(file: string, contents: Contents): void {
  // `wx` follows no symbolic link and never overwrites a file.
  writeFileSync(file, `${JSON.stringify({ note: NOTE, ...contents })}\n`, { flag: 'wx', mode: 0o600 });
}
