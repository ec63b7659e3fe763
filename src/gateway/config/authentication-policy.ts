import { resolve } from 'node:path';
import { isRecord } from '../../http/json-object.js';
import { MCP_AUTHENTICATION, MCP_AUTHENTICATION_TYPE } from '../schema/login-keys.js';
import type { ConfigNode } from './config-node.js';
import type { McpAuthenticationConfig } from './gateway-config.js';
import { withSecretFiles } from './secret-file.js';
import { typedValue } from './typed-value.js';

/** The keys that replace options of `mcpAuth()` that only code can give. */
const ADVICE: ReadonlyMap<string, string> = new Map([['store', ': write config.store: { redis: URL }']]);

/** Reads `mcpAuthentication`, and makes file names absolute. `mcpAuth()` checks the rest of the block. */
export function readMcpAuthentication(node: ConfigNode, directory: string): McpAuthenticationConfig {
  for (const [key, member] of node.children())
    if (isOnlyForCode(key)) member.refuse(`is not supported${ADVICE.get(key) ?? ''}`);
  const typed = node.withValue(typedValue(node, MCP_AUTHENTICATION_TYPE));
  const { issuers, ...policy } = withFiles(withSecretFiles(typed, directory), directory);
  const several = Array.isArray(issuers) ? issuers.map((issuer) => withFiles(issuer, directory)) : issuers;
  return { policy: several === undefined ? policy : { ...policy, issuers: several }, at: node.path };
}

/** True for an option of `mcpAuth()` that is a function, or an object with functions. */
function isOnlyForCode(name: string): boolean {
  const option = Object.hasOwn(MCP_AUTHENTICATION, name) ? MCP_AUTHENTICATION[name] : undefined;
  return option !== undefined && option.type === undefined;
}

/** Options that may be the name of a file. */
const FILES = ['jwks', 'apiKeys'];

/** Makes the file names absolute. */
export function withFiles(options: Readonly<Record<string, unknown>>, directory: string): Record<string, unknown> {
  if (!isRecord(options)) return options;
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, FILES.includes(name) ? withFile(value, directory) : value]),
  );
}

function withFile(source: unknown, directory: string): unknown {
  if (!isRecord(source) || typeof source.file !== 'string' || source.file === '') return source;
  return { ...source, file: resolve(directory, source.file) };
}
