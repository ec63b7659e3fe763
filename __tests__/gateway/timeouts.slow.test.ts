import { describe, expect, test } from 'vitest';
import { scripted, serveFile } from '../support/file-gateway.js';
import { open, post } from '../support/mcp-requests.js';

const file = (policies: object) => ({ mcp: { port: 0, targets: [scripted('only')], policies } });

describe('timeout', () => {
  const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'hang', arguments: {} } };

  test('requestTimeout answers 504, and cuts a stream off', async () => {
    const { origin } = await serveFile(file({ timeout: { requestTimeout: '6s' } }));
    const session = await open(`${origin}/mcp`);
    expect((await post(`${origin}/mcp`, call, session)).status).toBe(504);
    const stream = await fetch(`${origin}/mcp`, { headers: { ...session, accept: 'text/event-stream' } });
    expect(stream.status).toBe(200);
    await expect(stream.text()).rejects.toThrow();
  });

  test('backendRequestTimeout answers a call that takes too long', async () => {
    const { origin } = await serveFile(file({ timeout: { backendRequestTimeout: '5s' } }));
    const session = await open(`${origin}/mcp`);
    const answer = await post(`${origin}/mcp`, call, session);
    expect(await answer.json()).toMatchObject({
      id: 7,
      error: { message: expect.stringMatching(/5 seconds|timed? ?out/i) },
    });
  });
});
