import { createHash } from 'node:crypto';
import type { Answer } from './oauth-proxy-client.js';
import { postForm, postJson, VERIFIER } from './oauth-proxy-client.js';
import type { Announced, RealClient } from './real-clients.js';
import { type FillIn, UserAgent } from './user-agent.js';

/** The responses that a client got. */
export interface Replayed {
  readonly registration: Answer;
  readonly callback: URL;
  readonly tokens: Answer;
  /** Undefined for a client that does not refresh, or got no refresh token. */
  readonly refreshed: Answer | undefined;
}

/** The client to replay, the server, and how the user fills in forms. */
interface Visit {
  readonly client: RealClient;
  /** The MCP endpoint. */
  readonly resource: string;
  readonly fillIn: FillIn;
  /** Leaves `resource` out of login and token requests, as some clients do. */
  readonly withoutResource?: boolean;
}

/** Discovers, registers, logs in and refreshes as the client does, request by request. */
export async function replay({ client, resource, fillIn, withoutResource = false }: Visit): Promise<Replayed> {
  const { server, announced } = await discover(resource);
  const scopes = client.asksFor(announced).join(' ');
  const registration = await postJson(server.registration_endpoint as string, {
    ...client.registration,
    redirect_uris: [client.redirectUri],
    ...(client.registersFor && { scope: client.registersFor(announced).join(' ') }),
  });
  const id = registration.body.client_id as string;
  const target = withoutResource ? undefined : resource;
  const query = given({
    response_type: 'code',
    client_id: id,
    redirect_uri: client.redirectUri,
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
    state: 'mine',
    scope: scopes,
    prompt: client.prompt,
    resource: target,
  });
  const login = `${server.authorization_endpoint}?${new URLSearchParams(query)}`;
  const isCallback = ({ href }: URL) => href.startsWith(`${client.redirectUri}?`);
  const callback = registration.status === 201 ? await new UserAgent().visit(login, fillIn, isCallback) : undefined;
  if (!(callback instanceof URL)) {
    throw new Error(`stopped: ${JSON.stringify(registration.body)} ${callback?.url} ${callback?.html}`);
  }
  const credentials = credentialsOf(registration);
  const request = (form: Record<string, string | undefined>) =>
    postForm(server.token_endpoint as string, { ...credentials.body, ...form }, credentials.headers);
  const tokens = await request({
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? undefined,
    redirect_uri: client.redirectUri,
    code_verifier: VERIFIER,
    resource: target,
  });
  const refreshToken = tokens.body.refresh_token as string | undefined;
  const refreshed =
    client.refresh === undefined || refreshToken === undefined
      ? undefined
      : await request({
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
          scope: client.refresh.scope?.(announced).join(' '),
          resource: client.refresh.withResource ? target : undefined,
        });
  return { registration, callback, tokens, refreshed };
}

async function discover(resource: string): Promise<{ server: Record<string, unknown>; announced: Announced }> {
  const { origin, pathname } = new URL(resource);
  const read = async (url: string) => (await (await fetch(url)).json()) as Record<string, unknown>;
  const document = await read(`${origin}/.well-known/oauth-protected-resource${pathname}`);
  const [issuer] = document.authorization_servers as [string];
  const at = new URL(issuer);
  const server = await read(`${at.origin}/.well-known/oauth-authorization-server${at.pathname.replace(/\/$/, '')}`);
  const list = (value: unknown) => (Array.isArray(value) ? (value as string[]) : []);
  return { server, announced: { resource: list(document.scopes_supported), server: list(server.scopes_supported) } };
}

/** The secret goes into the body, unless the answer to the registration says otherwise. */
function credentialsOf({ body }: Answer): {
  body: Record<string, string | undefined>;
  headers: Record<string, string>;
} {
  const { client_id: id, client_secret: secret, token_endpoint_auth_method: method } = body as Record<string, string>;
  if (method !== 'client_secret_basic' || secret === undefined) {
    return { body: { client_id: id, client_secret: secret }, headers: {} };
  }
  return { body: {}, headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` } };
}

function given(parameters: Record<string, string | undefined>): [string, string][] {
  return Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
}
