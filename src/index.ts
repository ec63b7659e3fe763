export { type AuthInfo, getAuth } from './auth-info.js';
export type { Decision } from './decision.js';
export { ConfigError, type OutageCode, type RefusalCode, UpstreamError } from './errors.js';
export type { Middleware } from './http/middleware.js';
export type { Logger } from './logger.js';
export { type McpAuth, mcpAuth } from './mcp-auth.js';
export type { McpCall } from './mcp-call.js';
export { mcpCors } from './mcp-cors.js';
export { mcpScopes } from './mcp-scopes.js';
export {
  type McpStdioBackend,
  type McpStdioBackendOptions,
  type McpStdioBackendStats,
  mcpStdioBackend,
} from './mcp-stdio-backend.js';
export type { ModeName } from './modes.js';
export type {
  IssuerOptions,
  Jwks,
  JwksOption,
  McpAuthOptions,
  MtlsOptions,
  ResourceMetadataOptions,
  SeveralIssuersPolicy,
  SingleIssuerPolicy,
  VerifiedTokensOptions,
} from './options/auth-options.js';
export type { McpCorsOptions } from './options/cors-options.js';
export type { FacadeOptions, ProviderOption } from './options/facade-options.js';
export type { McpScopesOptions, ScopeFunction, ScopeRule, ScopeRules } from './options/scopes-options.js';
export { protectedResourceMetadata } from './protected-resource-metadata.js';
