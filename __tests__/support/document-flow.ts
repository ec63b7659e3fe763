import { createServer, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { type DocumentProxy, startDocumentProxy } from './client-documents.js';
import { listen, originOf, stop } from './loopback-server.js';
import { SECRET } from './oauth-proxy-flow.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS, type Setup } from './provider-behaviours.js';
import { type ProviderServer, startProviderServer } from './provider-server.js';

/** An authorization server of one kind, and replicas of an OAuth proxy in front of it, which take turns with the requests. */
export interface DocumentFlow {
  readonly upstream: ProviderServer;
  readonly resource: string;
  readonly base: string;
  /** Ends the replicas, and starts others, which know nothing but the policy. */
  restart(): Promise<void>;
  /** The log of the running replicas. */
  log(): string;
}

/** Starts both. The replicas are processes that trust the certificates of `client-documents.ts`. */
export async function startDocumentFlow(
  name: BehaviourName,
  changes: Readonly<Record<string, unknown>> = {},
  { replicas: count = 1 } = {},
): Promise<DocumentFlow> {
  const { kind, policy, client }: Setup = PROVIDER_BEHAVIOURS[name];
  const upstream = await startProviderServer(kind);
  let replicas: DocumentProxy[] = [];
  let turn = 0;
  const front = createServer((req, res) => {
    const { port } = new URL((replicas[turn++ % replicas.length] as DocumentProxy).resource);
    const { method, url: path, headers } = req;
    const forwarded = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    forwarded.on('error', () => res.destroy());
    req.pipe(forwarded);
  });
  await listen(front);
  onTestFinished(() => stop(front));
  const resource = `${originOf(front)}/mcp`;
  const base = resource.replace('/mcp', '/.well-known/oauth-authorization-server/mcp');
  if (client !== undefined) upstream.register({ ...client, redirectUri: `${base}/callback` });
  const options = {
    issuer: upstream.issuer,
    oauthProxy: { secret: SECRET },
    ...(client && { clientId: client.id, clientSecret: client.secret }),
    ...policy,
    ...changes,
    resourceMetadata: { resource, scopesSupported: ['mcp.read', 'offline_access'] },
  };
  const restart = async () => {
    await Promise.all(replicas.map(({ program }) => program.stop()));
    replicas = await Promise.all(Array.from({ length: count }, () => startDocumentProxy(options)));
  };
  await restart();
  const log = () => replicas.map(({ program }) => program.stdout + program.stderr).join('');
  return { upstream, resource, base, restart, log };
}
