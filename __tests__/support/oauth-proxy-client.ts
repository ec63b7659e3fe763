import { createHash } from 'node:crypto';
import { asAlice, type OAuthProxyFlow, startOAuthProxyFlow } from './oauth-proxy-flow.js';
import type { BehaviourName } from './provider-behaviours.js';
import { type Page, UserAgent } from './user-agent.js';

export const REDIRECT_URI = 'http://127.0.0.1:33418/callback';
export const VERIFIER = 'a-verifier-of-forty-three-characters-or-more-';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

type Changes = Readonly<Record<string, string | undefined>>;

/** A client that uses no library, so that it can also send invalid requests. */
export interface RawClient {
  readonly id: string;
  /** The URL of a valid authorization request with `changes`; `undefined` removes a parameter. */
  authorizationUrl(changes?: Changes): string;
  /** Sends the authorization request, and follows no redirect. */
  authorize(changes?: Changes, agent?: UserAgent): Promise<Page>;
  /** Logs in as alice. Resolves to the parameters of the redirect back to the client. */
  logIn(changes?: Changes, agent?: UserAgent): Promise<URLSearchParams>;
  /** Sends a valid token request with `changes`. */
  token(changes: Changes, headers?: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export async function postJson(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return answerOf(
    await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: text }),
  );
}

export async function postForm(url: string, form: Changes, headers: Record<string, string> = {}): Promise<Answer> {
  return answerOf(await fetch(url, { method: 'POST', headers, body: new URLSearchParams(presentParameters(form)) }));
}

async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

function presentParameters(changes: Changes): [string, string][] {
  return Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

export async function registerClient(
  { base }: Pick<OAuthProxyFlow, 'base'>,
  changes: Record<string, unknown> = {},
): Promise<RawClient> {
  const metadata = {
    client_name: 'Raw',
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: 'none',
    ...changes,
  };
  const { body, status } = await postJson(`${base}/client-registration`, metadata);
  if (status !== 201) throw new Error(`registration: ${status} ${JSON.stringify(body)}`);
  return rawClient(base, body.client_id as string);
}

export function rawClient(base: string, id: string): RawClient {
  const authorizationUrl = (changes: Changes = {}) => {
    const parameters = {
      response_type: 'code',
      client_id: id,
      redirect_uri: REDIRECT_URI,
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      state: 'mine',
      ...changes,
    };
    return `${base}/authorize?${new URLSearchParams(presentParameters(parameters))}`;
  };
  return {
    id,
    authorizationUrl,
    authorize: (changes, agent = new UserAgent()) => agent.load(new URL(authorizationUrl(changes))),
    async logIn(changes, agent = new UserAgent()) {
      const { protocol, pathname } = new URL(changes?.redirect_uri ?? REDIRECT_URI);
      const end = await agent.visit(
        authorizationUrl(changes),
        asAlice,
        (url) => url.protocol === protocol && url.pathname === pathname,
      );
      if (!(end instanceof URL)) throw new Error(`stopped at ${end.url} (${end.response.status}): ${end.html}`);
      return end.searchParams;
    },
    token: (changes, headers) =>
      postForm(
        `${base}/token`,
        {
          grant_type: 'authorization_code',
          client_id: id,
          redirect_uri: REDIRECT_URI,
          code_verifier: VERIFIER,
          ...changes,
        },
        headers,
      ),
  };
}

/** Returns the target and the parameters of a redirect. */
export function redirectOf({ response }: Page): { target: string; parameters: Record<string, string> } {
  const url = new URL(response.headers.get('location') ?? '');
  return { target: url.href.split('?', 1)[0] ?? '', parameters: Object.fromEntries(url.searchParams) };
}

/** Logs in a client that has not used its code yet. */
export async function withCode(
  name: BehaviourName,
  changes: Record<string, unknown> = {},
  policy: Record<string, unknown> = {},
  scope = 'mcp.read offline_access',
) {
  const flow = await startOAuthProxyFlow(name, name, policy);
  const client = await registerClient(flow, changes);
  const code = (await client.logIn({ scope })).get('code') ?? '';
  return { flow, client, code };
}
