import { describe, expect, onTestFinished, test } from 'vitest';
import { PROVIDERS, type ProviderName } from '../../src/providers/providers.js';
import { logIn, SDKS } from '../support/mcp-login.js';
import { asAlice, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';

const names = Object.keys(PROVIDER_BEHAVIOURS) as BehaviourName[];
const cases = names.flatMap((name) => SDKS.map((sdk) => [name, sdk] as const));

describe('a client logs in, calls a tool, and refreshes', () => {
  test.each(cases)('%s, SDK %s', async (name, sdk) => {
    // SDK v1 asks only for the scopes of the challenge, and without offline_access many servers give no refresh token.
    const { guarded } = await startOAuthProxyFlow(name, name, { requiredScopes: undefined });
    const client = await logIn(sdk, guarded.resource, asAlice);
    onTestFinished(() => client.close());
    expect(client.callback.searchParams.get('iss')).toBe(guarded.resource);
    expect(client.callback.searchParams.get('state')).toBe('the-state-of-the-client');
    expect(await client.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] });

    const before = client.memory.savedTokens;
    guarded.auth.revoke(before?.access_token ?? '');
    expect(await client.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] });
    expect(client.memory.savedTokens?.access_token).not.toBe(before?.access_token);
    expect(client.memory.savedTokens?.refresh_token).not.toBe(before?.refresh_token);
    expect(client.memory.savedTokens).not.toHaveProperty('id_token');
  });
});

/** Their metadata names everything that differs. */
const SELF_DESCRIBING: readonly string[] = ['authentik', 'descope'];

describe('with a wrong adapter it fails', () => {
  const wrong = names.flatMap((name) =>
    (Object.keys(PROVIDERS) as ProviderName[])
      .filter((provider) => provider !== name && !(provider === 'standard' && SELF_DESCRIBING.includes(name)))
      .map((provider) => [name, provider] as const),
  );
  test.each(wrong)('%s, taken for %s', async (name, provider) => {
    const { guarded } = await startOAuthProxyFlow(name, provider);
    await expect(logIn('v2', guarded.resource, asAlice)).rejects.toThrow();
  });
});
