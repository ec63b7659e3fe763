import { createServer, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { type DocumentProxy, startDocumentProxy } from './client-documents.js';
import type { IdentityHosts } from './identity-hosts.js';
import { listen, originOf, stop } from './loopback-server.js';

/** Replicas of an OAuth proxy, in processes of their own, which take turns with the requests. */
export interface Replicas {
  readonly resource: string;
  /** The URL of the OAuth proxy's metadata. The endpoints are below it. */
  readonly base: string;
  /** Ends the replicas, and starts others, which know nothing but the policy. `changes` replace its members from now on. */
  restart(changes?: object): Promise<void>;
  /** The log of the running replicas. */
  log(): string;
}

/** Starts them, once `policyFor` has made the policy for their resource. `hosts`: those of an identity provider that they reach. */
export async function startReplicas(
  policyFor: (at: { readonly resource: string; readonly base: string }) => object,
  { replicas: count = 1, hosts }: { readonly replicas?: number; readonly hosts?: IdentityHosts } = {},
): Promise<Replicas> {
  let running: DocumentProxy[] = [];
  let turn = 0;
  const front = createServer((req, res) => {
    const { port } = new URL((running[turn++ % running.length] as DocumentProxy).resource);
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
  let policy = policyFor({ resource, base });
  const restart = async (changes: object = {}) => {
    policy = { ...policy, ...changes };
    await Promise.all(running.map(({ program }) => program.stop()));
    running = await Promise.all(Array.from({ length: count }, () => startDocumentProxy(policy, 0, hosts)));
  };
  await restart();
  const log = () => running.map(({ program }) => program.stdout + program.stderr).join('');
  return { resource, base, restart, log };
}
