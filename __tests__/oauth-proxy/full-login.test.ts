import { describe, expect, onTestFinished, test } from 'vitest';
import { PROVIDER_NAMES, PROVIDERS, type ProviderName } from '../../src/providers/providers.js';
import { logIn, SDKS } from '../support/mcp-login.js';
import { asAlice, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS, type Setup } from '../support/provider-behaviours.js';

const names = Object.keys(PROVIDER_BEHAVIOURS) as BehaviourName[];
const cases = names.flatMap((name) => SDKS.map((sdk) => [name, sdk] as const));
const asSetup = (name: BehaviourName): Setup => PROVIDER_BEHAVIOURS[name];

describe('a client logs in, calls a tool, and refreshes', () => {
  test.each(cases)('%s, SDK %s', async (name, sdk) => {
    // SDK v1 asks only for the scopes of the challenge, and without offline_access many servers give no refresh token.
    const { guarded } = await startOAuthProxyFlow(name, undefined, { requiredScopes: undefined });
    const client = await logIn(sdk, guarded.resource, asAlice);
    onTestFinished(() => client.close());
    expect(client.callback.searchParams.get('iss')).toBe(guarded.resource);
    expect(client.callback.searchParams.get('state')).toBe('the-state-of-the-client');
    expect(await client.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] });

    const before = client.memory.savedTokens;
    guarded.auth.revoke(before?.access_token ?? '');
    expect(await client.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] });
    expect(client.memory.savedTokens?.access_token).not.toBe(before?.access_token);
    const isKept = asSetup(name).kind.keepsRefreshToken === true;
    expect(client.memory.savedTokens?.refresh_token === before?.refresh_token).toBe(isKept);
    expect(client.memory.savedTokens).not.toHaveProperty('id_token');
  });
});

/** The kinds that also fit a server. */
const FITTING: Readonly<Partial<Record<BehaviourName, readonly ProviderName[]>>> = {
  // Their metadata names everything that differs.
  okta: ['standard'],
  authentik: ['standard'],
  descope: ['standard'],
  clerk: ['cognito'],
};

describe('with a wrong adapter it fails, at the start or at the login', () => {
  const wrong = names
    .filter((name) => name in PROVIDERS)
    .flatMap((name) =>
      PROVIDER_NAMES.filter((kind) => kind !== name && !FITTING[name]?.includes(kind)).map(
        (kind) => [name, kind] as const,
      ),
    );
  test.each(wrong)('%s, taken for %s', async (name, kind) => {
    const attempt = async () => {
      const { guarded } = await startOAuthProxyFlow(name, kind);
      return logIn('v2', guarded.resource, asAlice);
    };
    await expect(attempt()).rejects.toThrow();
  });
});
