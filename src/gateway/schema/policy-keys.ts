import { MAX_RETRY_CODE, MIN_RETRY_CODE } from '../../bridge/http/retry-options.js';
import { CORS_TABLE } from '../../cors/cors-options.js';
import {
  ANY_MAPPING,
  ANY_TEXT,
  either,
  FLAG,
  listOf,
  type Members,
  membersOf,
  numberFrom,
  oneOfWords,
  recordOf,
  TEXT,
  TEXTS,
} from '../../options/value-type.js';
import {
  API_KEY,
  AUTHORIZATION,
  JWT_AUTH,
  MCP_AUTHENTICATION_TYPE,
  MCP_AUTHORIZATION_TYPE,
  MCP_SCOPES,
} from './login-keys.js';
import { COUNT, DURATION, FILE_NAME, PORT, SECRET, TIME } from './value-forms.js';

/** Browsers send these without a preflight (Fetch standard, "CORS-safelisted method"), so a file cannot forbid them. */
const SAFELISTED_METHODS = ['GET', 'HEAD', 'POST'];

export const CORS = {
  allowOrigins: { type: TEXTS, default: [] },
  allowHeaders: { type: TEXTS, default: [] },
  allowMethods: { type: TEXTS, default: SAFELISTED_METHODS },
  exposeHeaders: { type: TEXTS, default: [] },
  allowCredentials: { type: FLAG, default: false },
  maxAge: { type: TIME, default: `${CORS_TABLE.maxAgeSeconds.default}s` },
} as const satisfies Members;

/** The words of `per`, which agentgateway does not have. Without `per`, all callers of the route share a bucket, as they do there. */
export const PER = ['user', 'client', 'key', 'tool'] as const;

export const RATE_LIMIT = {
  maxTokens: { type: COUNT, isRequired: true },
  tokensPerFill: { type: COUNT, isRequired: true },
  fillInterval: { type: DURATION, isRequired: true },
  type: { type: oneOfWords(['requests']), default: 'requests' },
  per: { type: oneOfWords(PER), otherwise: 'one bucket for all callers' },
} as const satisfies Members;

export const TIMEOUT = {
  requestTimeout: { type: TIME, otherwise: 'no limit' },
  backendRequestTimeout: { type: TIME, otherwise: 'no limit' },
} as const satisfies Members;

/** As in agentgateway. */
export const MAX_ATTEMPTS = 255;
export const RETRY = {
  attempts: { type: numberFrom(1, MAX_ATTEMPTS), default: 1 },
  backoff: { type: TIME, default: '0s' },
  codes: { type: listOf(numberFrom(MIN_RETRY_CODE, MAX_RETRY_CODE)), isRequired: true },
} as const satisfies Members;

export const HEADER_MODIFIER = {
  add: { type: recordOf(ANY_TEXT), default: {} },
  set: { type: recordOf(ANY_TEXT), default: {} },
  remove: { type: TEXTS, default: [] },
} as const satisfies Members;

export const AUTHORITY = {
  full: { type: TEXT },
  host: { type: TEXT },
  port: { type: PORT },
} as const satisfies Members;

export const PATH_CHANGE = { full: { type: TEXT }, prefix: { type: TEXT } } as const satisfies Members;

const NO_CHANGE = oneOfWords(['auto', 'none']);
const PATH = { type: membersOf('path', PATH_CHANGE), otherwise: 'that of the request' } as const;

export const REWRITE = { authority: { type: NO_CHANGE, default: 'auto' }, path: PATH } as const satisfies Members;

export const REDIRECT = {
  scheme: { type: oneOfWords(['http', 'https']), otherwise: 'that of the request' },
  authority: { type: either(membersOf('authority', AUTHORITY), NO_CHANGE), default: 'auto' },
  path: PATH,
  status: { type: numberFrom(301, 308), default: 302 },
} as const satisfies Members;

export const DIRECT_RESPONSE = {
  status: { type: numberFrom(200, 599), isRequired: true },
  body: { type: ANY_TEXT, otherwise: 'none' },
} as const satisfies Members;

export const CREDENTIAL_HEADER = {
  name: { type: TEXT, isRequired: true },
  prefix: { type: ANY_TEXT, otherwise: 'none' },
} as const satisfies Members;

export const CREDENTIAL_LOCATION = {
  header: { type: membersOf('credential header', CREDENTIAL_HEADER), isRequired: true },
} as const satisfies Members;

const LOCATION = {
  type: membersOf('credential location', CREDENTIAL_LOCATION),
  otherwise: '`Authorization: Bearer`',
} as const;

export const BACKEND_AUTH_VALUE = {
  value: { type: SECRET, isRequired: true },
  location: LOCATION,
} as const satisfies Members;

/** The algorithms of `jwtSign`. */
export const SIGNING_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384'] as const;

/** The default of agentgateway. */
export const SIGNED_TOKEN_SECONDS = 300;
export const JWT_SIGN = {
  signingKey: { type: SECRET, isRequired: true },
  alg: { type: oneOfWords(SIGNING_ALGORITHMS), default: 'RS256' },
  kid: { type: TEXT, otherwise: 'none' },
  claims: { type: ANY_MAPPING, default: {} },
  ttl: { type: TIME, default: `${SIGNED_TOKEN_SECONDS}s` },
  location: LOCATION,
} as const satisfies Members;

/** The user's own token, sent to a target. */
export const SENT_UPSTREAM_TOKEN = { location: LOCATION } as const satisfies Members;

export const BACKEND_AUTH = {
  key: { type: either(SECRET, membersOf('key', BACKEND_AUTH_VALUE)) },
  jwtSign: { type: membersOf('jwtSign', JWT_SIGN) },
  upstreamToken: { type: membersOf('upstreamToken of a target', SENT_UPSTREAM_TOKEN) },
} as const satisfies Members;

export const BACKEND_TLS = {
  root: { type: FILE_NAME, otherwise: 'the authorities that Node trusts' },
  cert: { type: FILE_NAME, otherwise: 'none' },
  key: { type: FILE_NAME, otherwise: 'none' },
  hostname: { type: TEXT, otherwise: 'that of `host`' },
} as const satisfies Members;

const MODIFIER = membersOf('header modifier', HEADER_MODIFIER);

/** agentgateway's policies about the connection to a target. */
export const TARGET_POLICIES = {
  backendAuth: { type: membersOf('backendAuth', BACKEND_AUTH) },
  backendTLS: { type: membersOf('backendTLS', BACKEND_TLS) },
  requestHeaderModifier: { type: MODIFIER },
} as const satisfies Members;

const RULES = {
  authorization: { type: membersOf('authorization', AUTHORIZATION) },
  mcpAuthorization: { type: MCP_AUTHORIZATION_TYPE },
} as const satisfies Members;

const OF_RESPONSES = {
  responseHeaderModifier: { type: MODIFIER },
  requestRedirect: { type: membersOf('requestRedirect', REDIRECT) },
} as const satisfies Members;

/** The policies that listeners and gateways may have. */
export const LISTENER_POLICIES = {
  cors: { type: membersOf('cors', CORS) },
  jwtAuth: { type: membersOf('jwtAuth', JWT_AUTH) },
  apiKey: { type: membersOf('apiKey', API_KEY) },
  authorization: RULES.authorization,
} as const satisfies Members;

/** The policies that a backend may have. */
export const BACKEND_POLICIES = { ...RULES, ...OF_RESPONSES, ...TARGET_POLICIES } as const satisfies Members;

/** The policies that a route may have. */
export const ROUTE_POLICIES = {
  cors: LISTENER_POLICIES.cors,
  mcpAuthentication: { type: MCP_AUTHENTICATION_TYPE },
  jwtAuth: LISTENER_POLICIES.jwtAuth,
  apiKey: LISTENER_POLICIES.apiKey,
  mcpScopes: { type: MCP_SCOPES },
  ...RULES,
  localRateLimit: { type: listOf(membersOf('limit', RATE_LIMIT), 1) },
  timeout: { type: membersOf('timeout', TIMEOUT) },
  retry: { type: membersOf('retry', RETRY) },
  urlRewrite: { type: membersOf('urlRewrite', REWRITE) },
  directResponse: { type: membersOf('directResponse', DIRECT_RESPONSE) },
  ...OF_RESPONSES,
  ...TARGET_POLICIES,
} as const satisfies Members;
