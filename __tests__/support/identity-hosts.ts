import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Agent, buildConnector, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { onTestFinished } from 'vitest';
import { IDENTITY_SERVER } from './certificates.js';
import { listen, stop } from './loopback-server.js';

/** A request to one of the hosts of an identity provider. */
export interface HostRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly query: URLSearchParams;
  readonly body: string;
  /** The body as a form. */
  readonly form: URLSearchParams;
}

/** The answer to a request. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers in any way, also with half an answer or none. */
type Misbehave = (res: ServerResponse, req: HostRequest) => void;

/** The hosts of one identity provider: a server on loopback, with TLS. */
export interface IdentityHosts {
  /** The requests that they received, in order. */
  readonly requests: HostRequest[];
  /** Replaces the answer of a path of any of the hosts, to misbehave. Undefined: as usual. */
  override(path: string, answer: Misbehave | undefined): void;
  /** The variables with which a process that loads `fixtures/identity-hosts.mjs` reaches them, too. */
  readonly env: Readonly<Record<string, string>>;
  /** Refuses connections from now on. */
  goDown(): Promise<void>;
}

/** Every name of an identity provider that this process can reach, and the port that it leads to. */
const ports = new Map<string, number>();

/** Serves these hosts until the test ends. `fetch` of this process reaches them by their own names, with TLS. */
export async function serveHosts(
  hosts: readonly string[],
  answer: (req: HostRequest) => Reply,
): Promise<IdentityHosts> {
  const requests: HostRequest[] = [];
  const overrides = new Map<string, Misbehave>();
  const listener: RequestListener = async (req, res) => {
    const request = await readRequest(req);
    requests.push(request);
    const misbehave = overrides.get(request.path);
    if (misbehave !== undefined) {
      misbehave(res, request);
      return;
    }
    const { status, headers, body } = answer(request);
    res.writeHead(status, headers).end(body);
  };
  const server = createServer(IDENTITY_SERVER, listener);
  await listen(server);
  const { port } = server.address() as AddressInfo;
  for (const host of hosts) ports.set(host, port);
  const before = getGlobalDispatcher();
  const agent = createAgent();
  setGlobalDispatcher(agent);
  onTestFinished(async () => {
    setGlobalDispatcher(before);
    for (const host of hosts) ports.delete(host);
    await agent.destroy();
    await stop(server);
  });
  return {
    requests,
    env: { IDENTITY_HOSTS: JSON.stringify(hosts.map((host) => [host, port])), IDENTITY_CA: IDENTITY_SERVER.cert },
    override: (path, other) => void (other === undefined ? overrides.delete(path) : overrides.set(path, other)),
    goDown: () => stop(server),
  };
}

async function readRequest(req: IncomingMessage): Promise<HostRequest> {
  const url = new URL(`https://${req.headers.host}${req.url}`);
  const body = await text(req);
  return {
    method: req.method ?? '',
    host: url.host,
    path: url.pathname,
    headers: req.headers,
    query: url.searchParams,
    body,
    form: new URLSearchParams(body),
  };
}

/** Resolves the names of identity providers to loopback, and trusts the certificate there. All else stays as it is. */
function createAgent(): Agent {
  const connect = buildConnector({ ca: IDENTITY_SERVER.cert } as buildConnector.BuildOptions);
  return new Agent({
    connect: (options, callback) => {
      const port = ports.get(options.hostname);
      const { hostname } = options;
      const there = { hostname: '127.0.0.1', host: `127.0.0.1:${port}`, port: String(port), servername: hostname };
      connect(port === undefined ? options : { ...options, ...there }, callback);
    },
  });
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

export function page(status: number, html: string): Reply {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: html };
}

/** A page where the user types a name, with the parameters of the authorization request. */
export function loginPage({ query, path }: HostRequest): Reply {
  const hidden = [...query].map(([name, value]) => `<input type="hidden" name="${name}" value="${quote(value)}">`);
  return page(200, `<form method="post" action="${path}">${hidden.join('')}<input name="username" value=""></form>`);
}

/** A redirect to a redirect URI with further parameters. */
export function redirect(redirectUri: string, parameters: Readonly<Record<string, string | null>>): Reply {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) if (value !== null) url.searchParams.set(name, value);
  return { status: 302, headers: { location: url.href }, body: '' };
}

function quote(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
}

/** The id and the secret in a header `Authorization: Basic`, as they are in it. */
export function basicOf({ headers }: HostRequest): { readonly id: string | null; readonly secret: string | null } {
  const [scheme, encoded = ''] = (headers.authorization ?? '').split(' ');
  if (scheme !== 'Basic') return { id: null, secret: null };
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(/:(.*)/s, 2);
  return { id, secret };
}

/** The token in a header `Authorization: Bearer`. */
export function bearerOf({ headers }: HostRequest): string | undefined {
  return /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
}
