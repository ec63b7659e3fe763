import type { McpCorsOptions } from '../../index.js';
import { CORS } from '../schema/policy-keys.js';
import type { ConfigNode } from './config-node.js';
import { readSeconds } from './seconds.js';

export interface CorsConfig {
  /** Names and origins are not checked here: `mcpCors()` does that. */
  readonly options: McpCorsOptions & { readonly allowedOrigins: readonly string[] };
  readonly at: string;
}

/** Replaces "*" in `allowMethods`: browsers read a literal "*" as a wildcard only in requests without credentials. */
const EVERY_METHOD = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'];

/** Reads `policies.cors` for `mcpCors()`, whose defaults do not apply: only what the file lists is allowed. */
export function readCorsPolicy(node: ConfigNode): CorsConfig {
  const members = node.members(CORS);
  const methods = members.allowMethods?.texts() ?? CORS.allowMethods.default;
  const options = {
    allowedOrigins: members.allowOrigins?.texts() ?? [],
    allowedHeaders: members.allowHeaders?.texts() ?? [],
    exposedHeaders: members.exposeHeaders?.texts() ?? [],
    methods: methods.includes('*') ? EVERY_METHOD : methods,
    credentials: members.allowCredentials?.flag() ?? false,
    maxAgeSeconds: members.maxAge && Math.floor(readSeconds(members.maxAge)),
  };
  return { options, at: node.path };
}
