import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect } from 'vitest';
import type { TestIssuer } from '../../src/testing/index.js';
import { freePort } from './loopback-server.js';
import { ROOT, startNode } from './program.js';

/** Returns the functions that start samples and call their MCP servers, with tokens of this issuer. */
export function samplesOf(issuer: TestIssuer) {
  /** Starts a sample; resolves to it, and to the URL of its MCP server. */
  async function startSample(file: string, settings: Readonly<Record<string, string>> = {}) {
    const env = { PORT: `${await freePort()}`, ISSUER: issuer.issuer, ...settings };
    const program = startNode([`${ROOT}${file}`], { env });
    const [, url = ''] = await program.says(/Listening on (\S+?)\.?\s/);
    return { url: new URL(url), program };
  }

  /** Starts a sample; resolves to the URL of its MCP server. */
  async function start(file: string, settings?: Readonly<Record<string, string>>): Promise<URL> {
    return (await startSample(file, settings)).url;
  }

  const bearerFor = (url: URL): string =>
    `Bearer ${issuer.tokenFor(url.href, { sub: 'alice', clientId: 'inspector', scopes: ['profile'] })}`;

  async function connect(url: URL): Promise<Client> {
    const client = new Client({ name: 'test', version: '1.0' });
    const requestInit = { headers: { authorization: bearerFor(url) } };
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit }) as Parameters<Client['connect']>[0]);
    return client;
  }

  async function expectTwoAnswers(url: URL): Promise<void> {
    const refusal = await fetch(url, { method: 'POST' });
    expect([refusal.status, refusal.headers.get('www-authenticate'), await refusal.text()]).toEqual([
      401,
      `Bearer resource_metadata="${url.origin}/.well-known/oauth-protected-resource/mcp"`,
      '{"error":"unauthorized","error_description":"JWT token required"}',
    ]);
    const metadata = await fetch(new URL('/.well-known/oauth-protected-resource/mcp', url));
    expect(await metadata.json()).toMatchObject({
      resource: url.href,
      authorization_servers: [issuer.issuer],
    });
  }

  return { start, startSample, bearerFor, connect, expectTwoAnswers };
}
