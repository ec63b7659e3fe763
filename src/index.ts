export { getUpstreamToken } from './auth/get-upstream-token.js';
export { mcpAuth } from './auth/mcp-auth.js';
export type {
  AllowRule,
  AuthorizationRuleOption,
  DenyRule,
  McpAuthorizationOptions,
  RequireRule,
  RuleBackend,
  TargetName,
} from './authorization/authorization-options.js';
export { mcpAuthorization } from './authorization/mcp-authorization.js';
export { mcpScopes } from './authorization/mcp-scopes.js';
export type { McpScopesOptions, ScopeFunction, ScopeRule, ScopeRules } from './authorization/scopes-options.js';
export {
  type ChildTarget,
  type McpBackend,
  type McpBackendOptions,
  type McpBackendStats,
  type McpTarget,
  mcpBackend,
  type NameKind,
  type RemoteTarget,
  type ServerInfo,
  type TargetedName,
} from './bridge/mcp-backend.js';
export {
  type CallerHeaders,
  type CallerTokenOptions,
  type McpHttpBackend,
  type McpHttpBackendOptions,
  type McpHttpBackendStats,
  mcpHttpBackend,
  type RetryOptions,
} from './bridge/mcp-http-backend.js';
export {
  type McpStdioBackend,
  type McpStdioBackendOptions,
  type McpStdioBackendStats,
  mcpStdioBackend,
} from './bridge/mcp-stdio-backend.js';
export { type AuthInfo, getAuth } from './core/auth-info.js';
export { ConfigError, type OutageCode, type RefusalCode, UpstreamError } from './core/errors.js';
export type { Logger } from './core/logger.js';
export { UpstreamTokenError, type UpstreamTokenErrorCode } from './core/upstream-token-error.js';
export type { McpCorsOptions } from './cors/cors-options.js';
export { mcpCors } from './cors/mcp-cors.js';
export type { Middleware } from './http/middleware.js';
export type { Limit, LimitFunction, McpLimitsOptions } from './limits/limits-options.js';
export { mcpLimits } from './limits/mcp-limits.js';
export type { McpCall } from './messages/mcp-call.js';
export { protectedResourceMetadata } from './metadata/protected-resource-metadata.js';
export type { AuthDecision } from './policy/auth-decision.js';
export type {
  DpopOptions,
  LoginOptions,
  LoginPolicy,
  McpAuthOptions,
  MtlsOptions,
  ResourceMetadataOptions,
  SenderConstraintOptions,
  SeveralIssuersPolicy,
  SingleIssuerPolicy,
  TokenCacheOptions,
} from './policy/auth-options.js';
export type { ClientDocumentsOptions } from './policy/client-documents-options.js';
export type {
  ApiKey,
  ApiKeysOption,
  AuthorizationLocation,
  CredentialOptions,
  HeaderLocation,
  IntrospectionOptions,
  KnownApiKey,
  Verifier,
  VerifierResult,
} from './policy/credential-options.js';
export type {
  GithubOptions,
  GitlabOptions,
  GoogleOptions,
  IdentityProviderOption,
  IdentityProviders,
  LoginProfile,
  LoginRules,
  OAuth2Options,
} from './policy/identity-options.js';
export type { IssuerOptions, Jwks, JwksOption } from './policy/issuer-options.js';
export type { McpAuthMode } from './policy/modes.js';
export type { ConfiguredClientOptions, OAuthProxyOptions, ProviderOption } from './policy/oauth-proxy-options.js';
export type { McpAuth, RevokedTokens } from './policy/resolved-policy.js';
export type { TokenExchangeOptions, UpstreamTokenOptions } from './policy/upstream-token-options.js';
export type { ProviderSwitches } from './providers/switches.js';
export { createMemoryStore } from './store/memory-store.js';
export type { Store, StoreBucket, StoreList } from './store/store.js';
export type { CallContent, CallerCredential, CallOptions, CallOutcome, CallRecord } from './telemetry/call-record.js';
export type { McpCallsOptions } from './telemetry/calls-options.js';
export { mcpCalls } from './telemetry/mcp-calls.js';
