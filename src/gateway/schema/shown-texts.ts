import { canParseUrl } from '../../http/can-parse-url.js';

const ISSUER = ['issuer', 'audiences', 'audienceClaim', 'tenants', 'subjectClaim', 'scopesClaim', 'clientId'];
const HEADERS = ['pin', 'allowedHosts', 'requestHeaders', 'responseHeaders'];
const ROUTE = ['name', 'namespace', 'ruleName', 'hostnames'];
const LOGIN = ['scopes', 'url'];

/**
 * The keys whose texts may be shown, by the mapping that they are in. All other texts are hidden, including those of keys that come later:
 * they may be secrets.
 */
export const SHOWN_TEXTS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    mcp: ['gateways', ...HEADERS],
    servers: HEADERS,
    backend: ['name'],
    'route backend': ['backend'],
    'attached route': ['gateways', ...ROUTE],
    route: ROUTE,
    match: ['method'],
    'path match': ['exact', 'pathPrefix', 'regex'],
    'value match': ['name'],
    gateway: ['hostname'],
    listener: ['name', 'hostname'],
    'bind listener': ['name', 'namespace', 'hostname'],
    'gateway target': ['listenerName'],
    'route target': ['name', 'namespace'],
    'named backend': ['name', 'namespace'],
    target: ['name'],
    stdio: ['cmd', 'cwd', 'inheritEnv', 'allowedHosts'],
    remote: ['host', 'allowedHosts', 'requestHeaders', 'responseHeaders'],
    serverInfo: ['name', 'version'],
    callerToken: ['issuer', 'claims'],
    cors: ['allowOrigins', 'allowHeaders', 'allowMethods', 'exposeHeaders'],
    mcpAuthentication: [...ISSUER, 'requiredScopes', 'challengeScopes'],
    issuer: ISSUER,
    jwtAuth: ISSUER,
    'jwtAuth provider': ISSUER,
    jwks: ['file', 'url'],
    jwtValidationOptions: ['requiredClaims'],
    resourceMetadata: ['resource', 'url', 'scopesSupported', 'bearerMethodsSupported', 'authorizationServers'],
    oauthProxy: ['metadataUrl', 'allowedRedirectUris'],
    'oauthProxy client': ['redirectUris'],
    clientDocuments: ['allow', 'skipConsent'],
    exchange: ['issuer', 'endpoint', 'clientId', 'audience', 'resource', 'scopes'],
    introspection: ['endpoint', 'issuer', 'clientId'],
    'apiKeys entry': ['subject', 'scopes', 'expires'],
    apiKeys: ['file'],
    'header of a token': ['name', 'prefix'],
    'credential header': ['name', 'prefix'],
    'github login': LOGIN,
    'google login': LOGIN,
    'gitlab login': LOGIN,
    'oauth2 login': [...LOGIN, 'issuer', 'authorizationEndpoint', 'tokenEndpoint', 'userinfoEndpoint', 'jwksUri'],
    'provider switches': ['prompts', 'addedScopes', 'omittedScopes'],
    mcpScopes: ['*', 'implies'],
    authorization: ['rules'],
    mcpAuthorization: ['rules'],
    rule: ['allow', 'deny', 'require', 'scopes'],
    'header modifier': ['remove'],
    path: ['full', 'prefix'],
    authority: ['full', 'host'],
    jwtSign: ['kid'],
    backendTLS: ['hostname'],
    config: ['trustProxy', 'adminAddr', 'readinessAddr', 'statsAddr'],
    'config.store': ['prefix'],
  }),
);

export const HIDDEN = '<hidden>';

/** A variable without a default: only its name is in the file. */
const VARIABLE = /^\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})$/;

export function isVariable(text: string): boolean {
  return VARIABLE.test(text);
}

/** The texts of which only a part is shown, by mapping and key. */
const PARTS: Readonly<Record<string, (text: string) => string>> = {
  // Further words are arguments.
  'stdio.cmd': (text) => text.trim().replace(/\s.*$/s, ` ${HIDDEN}`),
  // Some services have a secret in the path.
  'remote.host': (text) => (text.includes('/') ? originIn(text) : withoutQuery(withoutUser(text))),
};

/** Returns the part of a text that may be shown. */
export function showText(text: string, place: string): string {
  const part = PARTS[place];
  if (part !== undefined) return part(text);
  // A rule may compare a header of the request with a secret.
  if (/\brequest\b|\bheaders?\b/.test(text)) return HIDDEN;
  return text.includes('://') ? withoutQuery(withoutUser(text)) : text;
}

/** Replaces all that follows `?` or `#`. */
function withoutQuery(text: string): string {
  return text.replace(/([?#]).*$/s, `$1${HIDDEN}`);
}

function originIn(text: string): string {
  if (!canParseUrl(text)) return HIDDEN;
  const { origin, href } = new URL(text);
  return href === `${origin}/` ? text : `${origin}/${HIDDEN}`;
}

/** Replaces a user name with a password before the host. */
function withoutUser(text: string): string {
  return text.replace(/^([^/]*:\/\/)?[^/?#]*@/, `$1${HIDDEN}@`);
}
