import { randomBytes } from 'node:crypto';
import { isRecord } from '../../http/json-object.js';
import { isPlain } from '../../options/checks.js';
import type { InputFiles } from '../input-files.js';
import { SECRETS, WITH_SECRETS } from '../schema/secret-files.js';
import { atPlace } from '../startup-error.js';
import type { ConfigNode } from './config-node.js';
import { readTextSource, resolveText, type TextSource } from './text-source.js';

/** A secret of a policy that is in a file of its own. The file is read when the policy is used. */
export class SecretFile {
  readonly source: TextSource;
  readonly #at: string;
  readonly #convert: (secret: string) => string;

  /**
   * @param node The mapping `{ file: NAME }`.
   * @param convert Makes of the secret what the policy has in its place.
   */
  constructor(node: ConfigNode, directory: string, convert = (secret: string) => secret) {
    this.source = readTextSource(node, directory);
    this.#at = node.path;
    this.#convert = convert;
  }

  read(files: InputFiles): string {
    const read = () => atPlace(this.#at, () => resolveText(this.source, files));
    return this.#convert(files.use(read, () => randomBytes(32).toString('base64url')));
  }
}

/** Returns the members of a policy, with a {@link SecretFile} for each secret that is written as `{ file: NAME }`. */
export function withSecretFiles(node: ConfigNode, directory: string): Readonly<Record<string, unknown>> {
  const members = node.children().map(([name, member]) => {
    if (SECRETS.includes(name)) return [name, everyItem(member, (each) => readSecret(each, directory))];
    const within = (each: ConfigNode) => (isRecord(each.value) ? withSecretFiles(each, directory) : each.value);
    return [name, WITH_SECRETS.includes(name) ? everyItem(member, within) : member.value];
  });
  return Object.fromEntries(members);
}

function everyItem(node: ConfigNode, read: (node: ConfigNode) => unknown): unknown {
  return Array.isArray(node.value) ? node.items().map(read) : read(node);
}

function readSecret(node: ConfigNode, directory: string): unknown {
  return isRecord(node.value) ? new SecretFile(node, directory) : node.value;
}

/** Returns where the secrets of a policy are that have files of their own. */
export function secretFilesIn(value: unknown): readonly TextSource[] {
  if (value instanceof SecretFile) return [value.source];
  if (Array.isArray(value)) return value.flatMap(secretFilesIn);
  return isPlain(value) ? Object.values(value).flatMap(secretFilesIn) : [];
}

/** Returns a policy with the secrets themselves in place of their files. */
export function readSecretFiles<T>(policy: T, files: InputFiles): T {
  const read = (value: unknown): unknown => {
    if (value instanceof SecretFile) return value.read(files);
    if (Array.isArray(value)) return value.map(read);
    if (!isPlain(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, read(member)]));
  };
  return read(policy) as T;
}
