import { expect, test } from 'vitest';
import { refreshAt, revokeAt, startIssuingFlow, startIssuingServer, tokensOf } from '../../support/issuing-flow.js';

/** A server whose policy differs, as after a reload, and accepts the tokens of an earlier one. */
const successorOf = ({ server, upstream }: Awaited<ReturnType<typeof startIssuingFlow>>) =>
  startIssuingServer(upstream, {
    github: { allow: () => 1 < 2 },
    policy: { resourceMetadata: { resource: `${server.origin}/mcp` } },
  });

test.each(['access_token', 'refresh_token'])(
  'a login whose %s was revoked stays so under another policy',
  async (name) => {
    const flow = await startIssuingFlow();
    const { body } = await tokensOf(flow.client);
    const next = await successorOf(flow);
    expect((await next.call(body.access_token)).status, 'it is remembered there').toBe(200);
    await revokeAt(flow.server, flow.client, body[name]);
    expect((await next.call(body.access_token)).body.error_description).toBe('The token has been revoked');
    expect((await refreshAt(next, flow.client, body.refresh_token)).body.error).toBe('invalid_grant');
    const later = await successorOf(flow);
    expect((await later.call(body.access_token)).body.error_description).toBe('The token has been revoked');
  },
);

test('a refresh token that one policy has accepted is used under another one too', async () => {
  const flow = await startIssuingFlow();
  const { body } = await tokensOf(flow.client);
  const { body: first } = await refreshAt(flow.server, flow.client, body.refresh_token);
  const { body: second } = await refreshAt(await successorOf(flow), flow.client, body.refresh_token);
  expect(second.refresh_token).toBe(first.refresh_token);
});
