import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuthInfo } from '../../src/core/auth-info.js';
import { eventsOf, nextMessage } from '../support/mcp-answers.js';
import {
  call,
  callText,
  type Headers,
  open,
  post,
  postStateless,
  statelessRequest,
  statelessText,
} from '../support/mcp-requests.js';
import { type Served, serve } from '../support/stdio-bridge.js';

const TENANT = 'example.com/tenant';
const ROOT = 'Bearer root';

/** Adds the key for one user only. */
const meta = (auth: AuthInfo | undefined): Record<string, unknown> =>
  auth?.payload.sub === 'root' ? { [TENANT]: 'all' } : {};

describe("a client's own _meta, where requestMeta is set", () => {
  let served: Served;
  let session: Headers;
  beforeAll(async () => {
    served = await serve({
      requestMeta: meta,
      allowedClientMeta: ['example.com/trace'],
      anonymousRequests: 'shared',
      env: { STATELESS: '1' },
    });
    session = await open(served.url);
  });
  afterAll(() => served.stop());

  test.each([TENANT, TENANT.toUpperCase(), 'Example.com/tenant', 'example.com/another', 'tenant'])(
    'has no member %s, even before any user got one',
    async (key) => {
      const { url } = served;
      expect(JSON.parse(await callText(url, session, 'meta', {}, { [key]: 'all' }))).toEqual({});
      expect(JSON.parse(await statelessText(url, 'meta', {}, {}, { [key]: 'all' }))).not.toHaveProperty([key]);
    },
  );

  test("keeps the protocol's own keys and the listed ones, and none that only looks like them", async () => {
    const { url } = served;
    const kept = { 'io.modelcontextprotocol/x': 1, traceparent: '00-1-2-00', 'example.com/trace': 2 };
    const sent = { ...kept, 'example.com/tracer': 3, Traceparent2: 4 };
    expect(JSON.parse(await callText(url, session, 'meta', {}, sent))).toEqual(kept);
  });

  test('is taken out of notifications', async () => {
    const { url } = served;
    const params = { _meta: { [TENANT]: 'all', traceparent: 't' } };
    await post(url, { jsonrpc: '2.0', method: 'notifications/x', params }, session);
    expect(JSON.parse(await callText(url, session, 'received'))).toEqual([{ traceparent: 't' }]);
    const message = statelessRequest(0, 'notifications/x', {}, { [TENANT]: 'all' });
    expect((await postStateless(url, { ...message, id: undefined } as unknown as typeof message)).status).toBe(202);
    const [received] = JSON.parse(await statelessText(url, 'received'));
    expect(received).not.toHaveProperty([TENANT]);
  });

  test('is taken out of responses', async () => {
    const { url } = served;
    const events = eventsOf(await post(url, call(8, 'ask'), session));
    const { id } = await nextMessage(events);
    const answered = await post(
      url,
      { jsonrpc: '2.0', id, result: { role: 'r', _meta: { [TENANT]: 'all' } } },
      session,
    );
    expect(answered.status).toBe(202);
    expect(await nextMessage(events)).toMatchObject({
      result: { content: [{ text: '{"role":"r","_meta":{}}' }] },
    });
    const doubled = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"_META":{"${TENANT}":"all"}}}`;
    expect((await post(url, doubled, session)).status).toBe(400);
  });

  test('is replaced by the members that requestMeta() returns for the user', async () => {
    const root = await open(served.url, { authorization: ROOT });
    expect(JSON.parse(await callText(served.url, root, 'meta', {}, { [TENANT]: 'mine' }))).toEqual({ [TENANT]: 'all' });
  });
});

test.each(['param\u017f', 'PARAMS', '\u0130d'])(
  'a message with a member called %j, which other parsers take for another name, is refused',
  async (name) => {
    const { url, stop } = await serve();
    const session = await open(url);
    const sent = { ...call(1, 'meta'), [name]: { name: 'pid' } };
    expect((await post(url, sent, session)).status).toBe(400);
    await stop();
  },
);
