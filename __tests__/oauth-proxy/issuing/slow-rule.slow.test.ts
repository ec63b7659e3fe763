import { expect, test } from 'vitest';
import { startIssuingFlow } from '../../support/issuing-flow.js';

test('a rule that does not settle in 10 seconds neither allows nor refuses the login: 503', async () => {
  const { server, client } = await startIssuingFlow({}, { github: { allow: () => new Promise(() => undefined) } });
  const code = (await client.logIn()).get('code') ?? '';
  const { status, body, headers } = await client.token({ code });
  expect({ status, error: body.error }).toEqual({ status: 503, error: 'server_error' });
  expect(headers.get('retry-after')).toBe('5');
  expect(server.lines.join('\n')).toContain('provider.github.allow did not settle within 10 seconds');
}, 20_000);
