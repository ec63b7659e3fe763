import { describe, expect, onTestFinished, test } from 'vitest';
import { asUser, type IdentityFlow, type IdentityKindName, startIdentityFlow } from '../support/identity-flow.js';
import { ALICE, BOB } from '../support/identity-logins.js';
import { ClientMemory, logIn, reconnect, SDKS, type Sdk } from '../support/mcp-login.js';
import { postForm } from '../support/oauth-proxy-client.js';

const NAMES: readonly IdentityKindName[] = ['GitHub', 'a GitHub App', 'Google', 'GitLab', 'OAuth2'];
const ROWS = SDKS.flatMap((sdk) => NAMES.map((name) => [sdk, name] as const));

/** Forgets tokens that are refused, as the SDK's documentation says: it then asks for a login. */
class ForgetfulMemory extends ClientMemory {
  invalidateCredentials = (what: string) => {
    if (what === 'all' || what === 'tokens') this.forgetTokens();
  };
}

/** Logs in alice with this client, which keeps its state in the memory that is returned. */
async function logInAlice(sdk: Sdk, flow: IdentityFlow) {
  const memory = new ForgetfulMemory();
  const client = await logIn(sdk, flow.guarded.resource, asUser(ALICE), { memory });
  onTestFinished(() => client.close());
  return { memory, client };
}

const ANSWER = { content: [{ type: 'text', text: expect.stringContaining('mcp.read') }] };

describe.each(ROWS)('SDK %s at %s', (sdk, name) => {
  test('logs in, calls a tool, refreshes twice, and calls it again, also in another process', async () => {
    const flow = await startIdentityFlow(name);
    const { memory, client } = await logInAlice(sdk, flow);
    expect(await client.callTool('whoami')).toMatchObject(ANSWER);
    const seen = [memory.savedTokens];
    for (const _ of [1, 2]) {
      memory.spoilAccessToken();
      expect(await client.callTool('whoami')).toMatchObject(ANSWER);
      expect(memory.savedTokens?.access_token).toMatch(/^emat_/);
      seen.push(memory.savedTokens);
    }
    expect(new Set(seen.map((tokens) => tokens?.access_token)).size).toBe(3);
    expect(new Set(seen.map((tokens) => tokens?.refresh_token)).size).toBe(3);
    const again = await reconnect(sdk, flow.guarded.resource, memory);
    onTestFinished(() => again.close());
    expect(await again.callTool('whoami')).toMatchObject(ANSWER);
  });

  test('after a revocation it must log in again, and can', async () => {
    const flow = await startIdentityFlow(name);
    const { memory, client } = await logInAlice(sdk, flow);
    const { savedTokens, registered } = memory;
    const form = { client_id: registered?.client_id as string, token: savedTokens?.refresh_token };
    expect(await postForm(`${flow.base}/revocation`, form)).toMatchObject({ status: 200 });
    memory.authorizationUrl = undefined;
    await expect(client.callTool('whoami')).rejects.toThrow(/Unauthorized/i);
    expect(memory.authorizationUrl).toBeInstanceOf(URL);
    const again = await logIn(sdk, flow.guarded.resource, asUser(ALICE), { memory });
    onTestFinished(() => again.close());
    expect(await again.callTool('whoami')).toMatchObject(ANSWER);
  });

  test('a user without the organisation gets no token, and the client says why', async () => {
    const flow = await startIdentityFlow(name);
    const memory = new ForgetfulMemory();
    const login = logIn(sdk, flow.guarded.resource, asUser(BOB), { memory });
    await expect(login).rejects.toThrow('This account may not use this server');
    expect(memory.savedTokens).toBeUndefined();
  });
});
