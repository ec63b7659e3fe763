import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Middleware } from '../../src/index.js';
import { type Compression, FRAMEWORKS, serveObserved } from '../support/observed-app.js';
import { REAL_SERVERS } from '../support/sdk-servers.js';
import { until } from '../support/until.js';

const COMPRESSIONS: readonly Compression[] = ['without compression', 'compression before it', 'compression after it'];

/** Each framework and each compression once. */
const SURROUNDINGS = Object.keys(FRAMEWORKS).map(
  (framework, i) => [framework, COMPRESSIONS[i] as Compression] as const,
);

describe.each(REAL_SERVERS)('%s', (_server, create) => {
  test.each(SURROUNDINGS)('every request of a client has one record: %s, %s', async (framework, compression) => {
    const server = create() as unknown as Middleware;
    const { url, records } = await serveObserved((req, res) => server(req, res, () => res.writeHead(500).end()), {
      framework,
      compression,
    });
    const client = new Client({ name: 'test', version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL(url));
    await client.connect(transport as never);
    onTestFinished(() => client.close());
    await client.listTools();
    await client.callTool({ name: 'echo' });
    await client.readResource({ uri: 'note:///echo' });
    await client.callTool({ name: 'missing' }).catch(() => undefined);
    await until(() => records.length >= 5);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(records.map(({ method, name, outcome }) => [method, name, outcome])).toEqual([
      ['initialize', undefined, 'answered'],
      ['tools/list', undefined, 'answered'],
      ['tools/call', 'echo', 'answered'],
      ['resources/read', 'note:///echo', 'answered'],
      ['tools/call', 'missing', expect.stringMatching(/^(?:tool|protocol)_error$/)],
    ]);
    expect(records.every(({ bytesIn, bytesOut, durationMs }) => bytesIn > 30 && bytesOut > 30 && durationMs > 0)).toBe(
      true,
    );
    // Also of the session that `initialize` opens, where the server has sessions.
    expect(new Set(records.map(({ session }) => session)).size).toBe(1);
    expect(records[0]?.session).toBe(transport.sessionId);
  });
});
