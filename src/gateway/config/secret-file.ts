import { randomBytes } from 'node:crypto';
import { isRecord } from '../../http/json-object.js';
import { isPlain } from '../../options/checks.js';
import type { InputFiles } from '../input-files.js';
import { IN_FILE } from '../schema/value-forms.js';
import { atPlace } from '../startup-error.js';
import type { ConfigNode } from './config-node.js';
import { readFileName, resolveText } from './text-source.js';

type SecretFiles = Pick<InputFiles, 'read' | 'use'>;

/** A secret of a policy that is in a file of its own. The file is read when the policy is used. */
export class SecretFile {
  /** Its absolute name. */
  readonly file: string;
  readonly #at: string;
  readonly #convert: (secret: string) => string;

  /**
   * @param node The mapping `{ file: NAME }`.
   * @param convert Converts the secret to the value that the policy needs.
   */
  constructor(node: ConfigNode, directory: string, convert = (secret: string) => secret) {
    this.file = readFileName(node.members(IN_FILE).file, directory).file;
    this.#at = node.path;
    this.#convert = convert;
  }

  read(files: SecretFiles): string {
    const read = () => atPlace(this.#at, () => resolveText({ file: this.file }, files));
    return this.#convert(files.use(read, () => randomBytes(32).toString('base64url')));
  }
}

/** The members of a policy that are secrets, and those that contain secrets. */
const SECRETS: readonly string[] = ['clientSecret', 'secret'];
const WITHIN: readonly string[] = ['issuers', 'introspection', 'oauthProxy', 'upstreamToken', 'exchange'];
/** A member whose keys are names that the user chose, each with members that are secrets. */
const BY_NAME = 'clients';

/** Returns the members of a policy, with a {@link SecretFile} for each secret that is written as `{ file: NAME }`. */
export function withSecretFiles(node: ConfigNode, directory: string): Readonly<Record<string, unknown>> {
  const members = node.children().map(([name, member]) => {
    if (SECRETS.includes(name)) return [name, everyItem(member, (each) => readSecret(each, directory))];
    const within = (each: ConfigNode) => (isRecord(each.value) ? withSecretFiles(each, directory) : each.value);
    if (name === BY_NAME && isRecord(member.value)) {
      return [name, Object.fromEntries(member.children().map(([id, client]) => [id, within(client)]))];
    }
    return [name, WITHIN.includes(name) ? everyItem(member, within) : member.value];
  });
  return Object.fromEntries(members);
}

function everyItem(node: ConfigNode, read: (node: ConfigNode) => unknown): unknown {
  return Array.isArray(node.value) ? node.items().map(read) : read(node);
}

function readSecret(node: ConfigNode, directory: string): unknown {
  return isRecord(node.value) ? new SecretFile(node, directory) : node.value;
}

/** Returns a policy with the secrets themselves in place of their files. */
export function readSecretFiles<T>(policy: T, files: SecretFiles): T {
  const read = (value: unknown): unknown => {
    if (value instanceof SecretFile) return value.read(files);
    if (Array.isArray(value)) return value.map(read);
    if (!isPlain(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, read(member)]));
  };
  return read(policy) as T;
}

/** The names of the files with the secrets of a policy. */
export function secretFilesIn(policy: unknown): readonly string[] {
  if (policy instanceof SecretFile) return [policy.file];
  if (typeof policy !== 'object' || policy === null) return [];
  return Object.values(policy).flatMap(secretFilesIn);
}
