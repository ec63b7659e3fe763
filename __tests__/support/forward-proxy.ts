import http, { type RequestListener } from 'node:http';
import { onTestFinished } from 'vitest';
import { serve } from './loopback-server.js';

/** A Node that knows NODE_USE_ENV_PROXY. */
export const hasEnvProxy = process.allowedNodeEnvironmentFlags.has('--use-env-proxy');

/** Makes this process send its requests through a forward proxy, as NODE_USE_ENV_PROXY does. */
export function sendThrough(proxy: string): void {
  const { globalAgent } = http;
  http.globalAgent = new http.Agent({ proxyEnv: { HTTP_PROXY: proxy } } as http.AgentOptions);
  onTestFinished(() => void Object.assign(http, { globalAgent }));
}

/** Starts a forward proxy, and sends the requests of this process through it. Returns the URLs that it is asked for. */
export async function startForwardProxy(listener: RequestListener): Promise<string[]> {
  const asked: string[] = [];
  const proxy = await serve((req, res) => {
    asked.push(req.url ?? '');
    listener(req, res);
  });
  sendThrough(proxy);
  return asked;
}
