import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type FillIn, UserAgent } from './user-agent.js';

export const SDKS = ['v1', 'v2'] as const;
export type Sdk = (typeof SDKS)[number];

/** A value that an SDK stores and reads back. Both SDKs use the same names for different types. */
type Stored = Record<string, unknown> | undefined;

interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly scope?: string;
}

/** The in-memory storage that an MCP client provides to its SDK, as in the SDK's documentation. */
export class ClientMemory {
  readonly redirectUrl: string;
  readonly clientMetadata;
  authorizationUrl: URL | undefined;
  registered: Stored;
  #tokens: Tokens | undefined;
  #verifier = '';
  #discovery: Stored;

  constructor({ redirectUrl = 'http://127.0.0.1:33418/callback', ...metadata }: Record<string, unknown> = {}) {
    this.redirectUrl = redirectUrl as string;
    this.clientMetadata = {
      client_name: 'Test client',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      ...metadata,
    };
  }

  state = () => 'the-state-of-the-client';
  clientInformation = () => this.registered as never;
  saveClientInformation = (information: unknown) => {
    this.registered = information as Stored;
  };
  tokens = () => this.#tokens as never;
  saveTokens = (tokens: unknown) => {
    this.#tokens = tokens as Tokens;
  };
  redirectToAuthorization = (url: URL) => {
    this.authorizationUrl = url;
  };
  saveCodeVerifier = (verifier: string) => {
    this.#verifier = verifier;
  };
  codeVerifier = () => this.#verifier;
  saveDiscoveryState = (state: unknown) => {
    this.#discovery = state as Stored;
  };
  discoveryState = () => this.#discovery as never;

  /** Replaces the access token with an invalid one, so that the SDK refreshes it. */
  spoilAccessToken(): void {
    this.#tokens = this.#tokens && { ...this.#tokens, access_token: 'spoilt.access.token' };
  }

  /** Removes the tokens, as after a logout, but keeps the registration. */
  forgetTokens(): void {
    this.#tokens = undefined;
  }

  get savedTokens(): Tokens | undefined {
    return this.#tokens;
  }
}

/** A client that has logged in and stays connected. */
export interface LoggedIn {
  readonly memory: ClientMemory;
  readonly agent: UserAgent;
  /** The URL of the redirect back to the client. */
  readonly callback: URL;
  callTool(name: string, args?: Record<string, unknown>): Promise<unknown>;
  close(): Promise<void>;
}

interface Session {
  connect(): Promise<void>;
  finish(callback: URL): Promise<void>;
  callTool(name: string, args?: Record<string, unknown>): Promise<unknown>;
  close(): Promise<void>;
}

/** Logs in a client: 401, metadata, registration, login, callback, token, connection. */
export async function logIn(
  sdk: Sdk,
  server: string,
  fillIn: FillIn,
  { memory = new ClientMemory(), agent = new UserAgent() }: { memory?: ClientMemory; agent?: UserAgent } = {},
): Promise<LoggedIn> {
  const session = sessionOf(sdk, server, memory);
  const refused = await session.connect().then(
    () => undefined,
    (error: Error) => error,
  );
  if (memory.authorizationUrl === undefined) throw refused ?? new Error('no login was asked for');
  const end = await agent.visit(memory.authorizationUrl, fillIn, (url) => url.href.startsWith(memory.redirectUrl));
  if (!(end instanceof URL)) throw new Error(`stopped at ${end.url} (${end.response.status}): ${end.html}`);
  await session.finish(end);
  await session.connect();
  return { memory, agent, callback: end, callTool: session.callTool, close: session.close };
}

/** Connects a client that has logged in before, as in a new process. Rejects if it would have to log in again. */
export async function reconnect(sdk: Sdk, server: string, memory: ClientMemory): Promise<Session> {
  const session = sessionOf(sdk, server, memory);
  await session.connect();
  return session;
}

function sessionOf(sdk: Sdk, server: string, memory: ClientMemory): Session {
  return sdk === 'v1' ? sessionV1(server, memory) : sessionV2(server, memory);
}

function sessionV1(server: string, memory: ClientMemory): Session {
  const open = () => new TransportV1(new URL(server), { authProvider: memory });
  let transport = open();
  let client = new ClientV1({ name: 'test', version: '1' });
  return {
    async connect() {
      transport = open();
      client = new ClientV1({ name: 'test', version: '1' });
      await client.connect(transport as never);
    },
    finish: (callback) => transport.finishAuth(callback.searchParams.get('code') ?? fail(callback)),
    callTool: (name, args = {}) => client.callTool({ name, arguments: args }),
    close: () => client.close(),
  };
}

function sessionV2(server: string, memory: ClientMemory): Session {
  const open = () => new TransportV2(new URL(server), { authProvider: memory });
  let transport = open();
  let client = new ClientV2({ name: 'test', version: '1' });
  return {
    async connect() {
      transport = open();
      client = new ClientV2({ name: 'test', version: '1' });
      await client.connect(transport);
    },
    finish: (callback) => transport.finishAuth(callback.searchParams),
    callTool: (name, args = {}) => client.callTool({ name, arguments: args }),
    close: () => client.close(),
  };
}

function fail(callback: URL): never {
  throw new Error(`no code came back: ${callback.search}`);
}
