import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import {
  ACCESS_TOKEN,
  API_NAME,
  EXCHANGE_CLIENT,
  EXCHANGE_RULES,
  type ExchangeKind,
  GRAPH_SCOPE,
  type Refused,
} from './exchange-endpoints.js';
import { replyJson } from './introspection-server.js';
import { listen, originOf, stop } from './loopback-server.js';
import { createSigner } from './signer.js';

type Json = Readonly<Record<string, unknown>>;
type Behaviour = (res: ServerResponse, form: URLSearchParams) => void;

/** An authorization server that exchanges tokens, no kinder than its documentation, and an API that accepts only the new ones. */
export interface ExchangeServer {
  readonly origin: string;
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /** The policy, without the members that `exchangeChanges` changes. */
  policy(exchangeChanges?: Json): Record<string, unknown>;
  /** The API: GET lists the user's repositories. */
  readonly api: string;
  /** The forms that came to the token endpoint, in order. */
  readonly forms: readonly URLSearchParams[];
  /** Every token that it made by exchange. */
  readonly exchanged: readonly string[];
  /** The credentials that came to the API. */
  readonly seenByApi: readonly string[];
  /** Issues a token for the MCP server. */
  issue(sub: string, changes?: Json): string;
  /** Answers later token requests in another way; `undefined`: as it should. */
  behave(behaviour: Behaviour | undefined): void;
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
}

const TENANT = 'f8cdef31-a31e-4b4a-93e4-5f571e91255a';
const RESOURCE = 'https://mcp.example/mcp';

/** @param metadata Changes of its metadata. */
export async function startExchangeServer(
  kind: ExchangeKind,
  client = EXCHANGE_CLIENT,
  metadata: Json = {},
): Promise<ExchangeServer> {
  const signer = createSigner();
  const forms: URLSearchParams[] = [];
  const users = new Map<string, string>();
  const seenByApi: string[] = [];
  const subjects = new Map<string, { readonly sub: string; readonly exp: number }>();
  const lifetimeSeconds = 3_600;
  let behaviour: Behaviour | undefined;
  const server = createServer((req, res) => void handle(req, res));
  await listen(server);
  onTestFinished(() => stop(server));
  const origin = originOf(server);
  const { port } = server.address() as AddressInfo;
  const paths = PATHS[kind];
  const issuer = `${origin}${paths.issuer}`;

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await text(req);
    if (req.url === paths.keys) return replyJson(res, { keys: [signer.jwk] });
    if (req.url === paths.metadata) return replyJson(res, { ...metadataOf(issuer, origin, paths), ...metadata });
    if (req.url === '/user/repos') return answerApi(req, res);
    if (req.url !== paths.token) return replyJson(res, {}, 404);
    const form = new URLSearchParams(body);
    forms.push(form);
    if (behaviour !== undefined) return behaviour(res, form);
    const refused = EXCHANGE_RULES[kind](req, form, subjects, client);
    if (refused !== undefined) return replyRefused(res, refused);
    const { sub } = subjects.get(form.get(paths.subject) ?? '') as { sub: string };
    const token = randomBytes(24).toString('base64url');
    users.set(token, sub);
    replyJson(res, answerOf(kind, token, lifetimeSeconds));
  }

  function answerApi(req: IncomingMessage, res: ServerResponse): void {
    const { authorization = '' } = req.headers;
    seenByApi.push(authorization);
    const user = users.get(authorization.replace(/^Bearer /, ''));
    if (user === undefined) replyJson(res, { message: 'Bad credentials' }, 401);
    else replyJson(res, [{ full_name: `${user}/notes` }]);
  }

  return {
    origin,
    issuer,
    api: `${origin}/user/repos`,
    forms,
    seenByApi,
    get exchanged() {
      return [...users.keys()];
    },
    policy: (changes = {}) => ({
      issuer,
      jwks: { url: `${origin}${paths.keys}` },
      resourceMetadata: { resource: RESOURCE },
      upstreamToken: { exchange: { ...EXCHANGE_CLIENT, ...paths.target, ...changes } },
      ...paths.policy,
    }),
    issue(sub, { expiresIn = 3_600, ...changes } = {}) {
      const now = Math.floor(Date.now() / 1_000);
      const exp = now + (expiresIn as number);
      const jti = randomBytes(8).toString('hex');
      const token = signer.sign({ iss: issuer, aud: paths.audience, sub, iat: now, exp, jti, ...changes });
      subjects.set(token, { sub, exp });
      return token;
    },
    behave(next) {
      behaviour = next;
    },
    goDown: () => stop(server),
    comeBack: () => listen(server, port),
  };
}

const PATHS = {
  'RFC 8693': {
    issuer: '',
    metadata: '/.well-known/oauth-authorization-server',
    keys: '/keys',
    token: '/token',
    subject: 'subject_token',
    audience: RESOURCE,
    target: { audience: API_NAME },
    policy: {},
  },
  Entra: {
    issuer: `/${TENANT}/v2.0`,
    metadata: `/${TENANT}/v2.0/.well-known/openid-configuration`,
    keys: `/${TENANT}/discovery/v2.0/keys`,
    token: `/${TENANT}/oauth2/v2.0/token`,
    subject: 'assertion',
    audience: EXCHANGE_CLIENT.clientId,
    target: { scopes: [GRAPH_SCOPE] },
    policy: { provider: 'entra', ...EXCHANGE_CLIENT, audiences: [EXCHANGE_CLIENT.clientId] },
  },
} as const satisfies Record<ExchangeKind, Json>;

function metadataOf(issuer: string, origin: string, paths: (typeof PATHS)[ExchangeKind]): Json {
  return {
    issuer,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}${paths.token}`,
    jwks_uri: `${origin}${paths.keys}`,
  };
}

function answerOf(kind: ExchangeKind, access_token: string, expires_in: number): Json {
  const common = { access_token, token_type: 'Bearer', expires_in };
  if (kind === 'RFC 8693') return { ...common, issued_token_type: ACCESS_TOKEN };
  return { ...common, scope: GRAPH_SCOPE, ext_expires_in: 0 };
}

function replyRefused(res: ServerResponse, { status, error, description, more }: Refused): void {
  replyJson(res, { error, error_description: description, ...more }, status);
}
