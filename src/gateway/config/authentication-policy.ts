import { resolve } from 'node:path';
import type { ConfigNode } from './config-node.js';
import type { McpAuthenticationConfig } from './gateway-config.js';

/** Makes file names absolute. `mcpAuth()` checks the rest of the block. */
export function readMcpAuthentication(node: ConfigNode, directory: string): McpAuthenticationConfig {
  const [, logger] = node.children().find(([key]) => key === 'logger') ?? [];
  logger?.refuse('is not supported');
  const { issuers, ...policy } = withAbsoluteKeyFile(node.mapping(), directory);
  const several = Array.isArray(issuers) ? issuers.map((issuer) => withAbsoluteKeyFile(issuer, directory)) : issuers;
  return { policy: several === undefined ? policy : { ...policy, issuers: several }, at: node.path };
}

function withAbsoluteKeyFile(issuer: Readonly<Record<string, unknown>>, directory: string): Record<string, unknown> {
  const jwks = issuer?.jwks as { file?: unknown } | null | undefined;
  if (typeof jwks?.file !== 'string' || jwks.file === '') return issuer;
  return { ...issuer, jwks: { ...jwks, file: resolve(directory, jwks.file) } };
}
