import { looksLikeFileName } from '../../bridge/http/caller-token-options.js';
import { isHeaderValue, mayBeSet } from '../../bridge/http/header-rules.js';
import { isRecord } from '../../http/json-object.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import {
  BACKEND_AUTH,
  BACKEND_AUTH_VALUE,
  CREDENTIAL_HEADER,
  CREDENTIAL_LOCATION,
  JWT_SIGN,
  SENT_UPSTREAM_TOKEN,
  SIGNED_TOKEN_SECONDS,
  SIGNING_ALGORITHMS,
} from '../schema/policy-keys.js';
import type { ConfigNode, UnsupportedFeature } from './config-node.js';
import { readWholeSeconds } from './seconds.js';
import { readTextSource, type TextSource } from './text-source.js';

/** The header of requests to a target that carries its credential. */
export interface CredentialHeader {
  /** In lower case. */
  readonly name: string;
  /** Written before the credential. */
  readonly prefix: string;
}

/** The credential of requests to a target: a fixed secret, a JWT that this server signs, or the user's own token. */
export interface BackendAuth {
  readonly key?: TextSource;
  readonly jwtSign?: JwtSignConfig;
  readonly upstreamToken?: true;
  /** Undefined for `Authorization: Bearer`. */
  readonly header?: CredentialHeader;
  readonly at: string;
}

/** agentgateway's policy `backendAuth.jwtSign`. */
export interface JwtSignConfig {
  /** A private key in PEM. */
  readonly signingKey: TextSource;
  readonly alg: (typeof SIGNING_ALGORITHMS)[number];
  readonly kid?: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly ttlSeconds: number;
  readonly at: string;
}

const CLOUD: UnsupportedFeature = {
  why: 'credentials of cloud providers are not fetched. Use key or jwtSign',
  canIgnore: false,
};
const EXCHANGE: UnsupportedFeature = {
  why: 'this is written elsewhere: upstreamToken.exchange in mcpAuthentication, and upstreamToken: {} here',
  canIgnore: false,
};

const UNSUPPORTED: ReadonlyMap<string, UnsupportedFeature> = new Map([
  [
    'passthrough',
    {
      why: "a client's token never goes on to a target. Use callerToken beside host, key or jwtSign",
      canIgnore: false,
    },
  ],
  ['credentials', { why: 'a request carries one credential. Use requestHeaderModifier for others', canIgnore: false }],
  ...['gcp', 'aws', 'azure', 'copilot'].map((name) => [name, CLOUD] as const),
  ...['oauthTokenExchange', 'crossAppAccess'].map((name) => [name, EXCHANGE] as const),
]);

/** Reads `backendAuth`. */
export function readBackendAuth(node: ConfigNode, directory: string): BackendAuth {
  const { key, jwtSign, upstreamToken } = node.members(BACKEND_AUTH, { unsupported: UNSUPPORTED });
  if ([key, jwtSign, upstreamToken].filter((each) => each !== undefined).length !== 1)
    return node.refuse('must have one of key, jwtSign and upstreamToken');
  if (upstreamToken) {
    const { location } = upstreamToken.members(SENT_UPSTREAM_TOKEN);
    return { upstreamToken: true, ...(location && { header: readLocation(location) }), at: node.path };
  }
  if (jwtSign) return { ...readJwtSign(jwtSign, directory), at: node.path };
  return { ...readKey(key as ConfigNode, directory), at: node.path };
}

/** Reads `SECRET`, or agentgateway's longer form `{ value: SECRET, location }`. */
function readKey(node: ConfigNode, directory: string): Pick<BackendAuth, 'key' | 'header'> {
  if (!isRecord(node.value) || 'file' in node.value) return { key: readTextSource(node, directory) };
  const { value, location } = node.members(BACKEND_AUTH_VALUE);
  return { key: readTextSource(value, directory), ...(location && { header: readLocation(location) }) };
}

/** The claims that the command sets itself. */
const RESERVED = ['iat', 'exp', 'nbf'];

function readJwtSign(node: ConfigNode, directory: string): Pick<BackendAuth, 'jwtSign' | 'header'> {
  const { signingKey, alg, kid, claims, ttl, location } = node.members(JWT_SIGN);
  for (const [name, claim] of claims?.children() ?? [])
    if (RESERVED.includes(name)) claim.refuse('is a claim that the command sets itself: remove it');
  if (typeof signingKey.value === 'string' && looksLikeFileName(signingKey.value))
    signingKey.refuse('must be the key itself, and not the name of its file. Write { file: NAME }.');
  const ttlSeconds = ttl === undefined ? SIGNED_TOKEN_SECONDS : readWholeSeconds(ttl);
  if (ttlSeconds < 1) ttl?.refuse('must be at least one second');
  const jwtSign = {
    signingKey: readTextSource(signingKey, directory),
    alg: alg?.word(SIGNING_ALGORITHMS) ?? JWT_SIGN.alg.default,
    ...(kid && { kid: kid.text() }),
    claims: claims?.mapping() ?? {},
    ttlSeconds,
    at: node.path,
  };
  return { jwtSign, ...(location && { header: readLocation(location) }) };
}

const LOGGED: UnsupportedFeature = {
  why: 'addresses are written to logs, and cookies belong to browsers. Use header',
  canIgnore: false,
};

function readLocation(node: ConfigNode): CredentialHeader {
  const { header } = node.members(CREDENTIAL_LOCATION, {
    unsupported: new Map([
      ['queryParameter', LOGGED],
      ['cookie', LOGGED],
    ]),
  });
  const { name, prefix } = header.members(CREDENTIAL_HEADER);
  const lower = lowerAscii(name.text());
  if (!mayBeSet(lower)) name.refuse('must be the name of a header that is not about the connection');
  const before = prefix === undefined || prefix.value === '' ? '' : prefix.text();
  if (!isHeaderValue(before)) prefix?.refuse('must be on one line, without control characters');
  return { name: lower, prefix: before };
}
