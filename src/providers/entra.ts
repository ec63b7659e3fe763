import { canParseUrl } from '../http/can-parse-url.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { ON_BEHALF_OF } from './exchange-rules.js';
import { OPENID_SCOPES, type ProviderKind } from './provider-kind.js';

/**
 * Microsoft Entra ID. The app registration decides if tokens have the v1 or the v2 issuer. Login is always v2.0, which
 * refuses `resource` (AADSTS9010010) and has no registration.
 */
export const ENTRA: ProviderKind = Object.freeze({
  switches: Object.freeze({
    metadata: 'openid',
    registration: false,
    resource: false,
    // With `consent` it asks users who may not consent, even if an administrator has consented for all (AADSTS90094,
    // AADSTS90095). Without, it still asks if consent is missing.
    prompts: Object.freeze(['none', 'login', 'select_account', 'create']),
    // AADSTS90023.
    severalPrompts: false,
    // A refresh without a scope of the resource asks for the application itself (AADSTS90009), or returns another scope.
    refreshScopes: 'always',
  }),
  fixed: Object.freeze({
    registration: 'Entra ID has no registration',
    resource: 'Entra ID refuses `resource` (AADSTS9010010)',
  }),
  jwksUrl: (issuer: string) => `${authority(issuer)}/discovery/${keysVersion(issuer)}keys`,
  discoveryBase: (issuer: string) => `${authority(issuer)}/v2.0`,
  // The metadata for all tenants says literally {tenantid}.
  metadataIssuer: (issuer: string) => `${authority(issuer).replace(/\/common$/, '/{tenantid}')}/v2.0`,
  upstreamScope,
  audienceHint: 'name both the Application ID URI (v1 tokens) and the client id (v2 tokens) in "audiences"',
  exchange: Object.freeze({
    ...ON_BEHALF_OF,
    endpoint: (issuer: string) => `${authority(issuer)}/oauth2/v2.0/token`,
  }),
});

const HOSTS =
  /^(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|login\.windows\.net|sts\.windows\.net)$/;
const MULTI_TENANT_SEGMENTS: readonly string[] = [
  'common',
  'organizations',
  'consumers',
  '{tenantid}',
  '%7btenantid%7d',
];

/** True if an issuer is one of Entra ID. */
export function isEntra(issuer: string): boolean {
  return canParseUrl(issuer) && HOSTS.test(new URL(issuer).hostname);
}

/** Keys for all tenants name their issuer, which is another one for v1 tokens. */
function keysVersion(issuer: string): string {
  const { hostname, pathname } = new URL(issuer);
  return hostname === 'sts.windows.net' && TENANT_ID.test(pathname) ? '' : 'v2.0/';
}

/** True if an issuer is one of Entra's addresses for several tenants. No token has one of these as its issuer. */
export function namesNoTenant(issuer: string): boolean {
  if (!canParseUrl(issuer)) return false;
  const { hostname, pathname } = new URL(issuer);
  return HOSTS.test(hostname) && MULTI_TENANT_SEGMENTS.includes(lowerAscii(pathname.split('/')[1] ?? ''));
}

/** A URL object encodes the braces. */
const TENANT_ID = /%7Btenantid%7D/i;

/** `https://login.microsoftonline.com/{tenant}`, or `/common` for all tenants. National clouds keep their host. */
function authority(issuer: string): string {
  const { protocol, host, pathname } = new URL(issuer);
  const named = pathname.split('/').find((segment) => segment !== '') ?? '';
  const tenant = TENANT_ID.test(named) ? 'common' : named;
  return `${protocol}//${host === 'sts.windows.net' ? 'login.microsoftonline.com' : host}/${tenant}`;
}

/** Tokens have `mcp.read` in `scp`, but requests must name `api://{app}/mcp.read`: Entra reads a bare name as one of Microsoft Graph. */
function upstreamScope(scope: string, audiences: readonly string[]): string {
  if (scope.includes('://') || OPENID_SCOPES.includes(scope)) return scope;
  const application = audiences.find((audience) => audience.includes('://')) ?? `api://${audiences[0]}`;
  return `${application}/${scope}`;
}
