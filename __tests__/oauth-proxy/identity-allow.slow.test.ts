import { expect, test } from 'vitest';
import { logIn, startIdentityFlow } from '../support/identity-flow.js';

test('a function allow that does not answer is an outage, and no refusal: the token is not revoked, and the login can go on', async () => {
  const answers: unknown[] = [new Promise(() => undefined), true];
  const flow = await startIdentityFlow('GitHub', { allow: () => answers.shift() });
  const { answer, client, code } = await logIn(flow);
  expect(answer).toMatchObject({
    status: 503,
    body: {
      error: 'server_error',
      error_description: 'A function of this server cannot decide on the login at the moment',
    },
  });
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(flow.upstream.requests.map(({ method }) => method)).not.toContain('DELETE');
  expect(flow.lines.join('\n')).toContain('provider.github.allow did not settle within 10 seconds');
  expect((await client.token({ code })).status).toBe(200);
}, 30_000);
