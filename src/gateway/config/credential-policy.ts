import { isRecord } from '../../http/json-object.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { DERIVED_CLAIMS } from '../../policy/derived-claims.js';
import { MODES } from '../../policy/modes.js';
import { sha256 } from '../input-files.js';
import { API_KEY, API_KEY_ENTRY, JWT_AUTH, JWT_ISSUER } from '../schema/login-keys.js';
import { withFiles } from './authentication-policy.js';
import type { ConfigNode } from './config-node.js';
import type { CredentialConfig } from './gateway-config.js';
import { SecretFile } from './secret-file.js';

/** Reads `jwtAuth`: tokens of issuers, without the documents for MCP clients. */
export function readJwtAuth(node: ConfigNode, directory: string): CredentialConfig {
  const { mode, location, providers, ...single } = node.members(JWT_AUTH);
  const [other] = Object.values(single);
  if (providers && other) other.refuse('must be in each of the providers, where there are any');
  const items = providers?.someItems() ?? [node];
  const issuers = items.map((item) => {
    const members = providers ? item.members(JWT_ISSUER) : single;
    for (const name of ['issuer', 'audiences', 'jwks'] as const) {
      if (members[name] === undefined) item.refuse(`must have ${name}${name === 'audiences' ? NO_AUDIENCE : ''}`);
    }
    const values = Object.entries(members).map(([name, member]) => [name, member?.value]);
    return withFiles(Object.fromEntries(values), directory);
  });
  return { policy: { issuers, ...readShared(mode, location) }, kind: 'jwtAuth', warnings: [], at: node.path };
}

const NO_AUDIENCE = ': without it, a token that was issued for another server would pass';

/** Reads `apiKey`: callers with a fixed key. */
export function readApiKey(node: ConfigNode, directory: string): CredentialConfig {
  const { keys, mode, location } = node.members(API_KEY);
  const items = keys.someItems().map((key) => readKey(key, directory));
  refuseSameKey(items);
  const plain = items.filter(({ isPlain }) => isPlain);
  return {
    policy: { issuers: [], apiKeys: items.map(({ entry }) => entry), ...readShared(mode, location) },
    kind: 'apiKey',
    warnings: plain.map(({ at, hash }) => `${at}.key is in the file as it is: write keyHash: ${hash}`),
    at: node.path,
  };
}

function readKey(node: ConfigNode, directory: string) {
  const { key, keyHash, metadata } = node.members(API_KEY_ENTRY, {
    unsupported: new Map([['allowedModels', { why: 'language models are not served here', canIgnore: true }]]),
  });
  if ((key === undefined) === (keyHash === undefined)) node.refuse('must have either key or keyHash');
  for (const [name, member] of metadata?.children() ?? []) {
    if (DERIVED_CLAIMS.includes(name)) member.refuse(RESERVED);
  }
  const hash = keyHash ? readHash(keyHash) : hashKey(key as ConfigNode, directory);
  const entry = { sha256: hash, ...(metadata && { claims: metadata.mapping() }) };
  // A key that comes from a variable or from another file is not written in the file, so it needs no warning.
  const isPlain = key !== undefined && typeof hash === 'string' && !key.isFromVariable;
  return { entry, isPlain, hash: `sha256:${hash}`, at: node.path, node };
}

const RESERVED = 'has the name of a claim of tokens, and a key is no token: choose another name';

/** Refuses a key that is there twice: only one of its entries would count. A key in a file of its own is not known yet. */
function refuseSameKey(items: ReadonlyArray<ReturnType<typeof readKey>>): void {
  const taken = new Map<string, string>();
  for (const { entry, node } of items) {
    if (typeof entry.sha256 !== 'string') continue;
    const hash = lowerAscii(entry.sha256);
    const other = taken.get(hash);
    if (other !== undefined) node.refuse(`has the same key as ${other}: write it once`);
    taken.set(hash, node.path);
  }
}

function hashKey(key: ConfigNode, directory: string): string | SecretFile {
  return isRecord(key.value) ? new SecretFile(key, directory, sha256) : sha256(key.text());
}

function readHash(node: ConfigNode): string {
  const [, digest] = /^sha256:([0-9a-fA-F]{64})$/.exec(node.text()) ?? [];
  return digest ?? node.refuse('must be "sha256:" and the SHA-256 of the key, in 64 hexadecimal digits');
}

function readShared(mode: ConfigNode | undefined, location: ConfigNode | undefined) {
  return {
    mode: mode?.word(Object.keys(MODES)) ?? API_KEY.mode.default,
    ...(location && { authorizationLocation: location.mapping() }),
  };
}
