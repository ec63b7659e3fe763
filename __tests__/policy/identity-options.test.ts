import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { configText } from '../support/config-text.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const SECRET = 'a secret of thirty-two characters';
const good = {
  provider: { github: { allow: () => true } },
  clientId: 'our-app',
  clientSecret: 'a secret',
  oauthProxy: { secret: SECRET },
  resourceMetadata: { resource: 'https://mcp.example/mcp' },
};
const withGithub = (settings: unknown) => ({ ...good, provider: { github: settings } });
const withOther = (settings: object) => ({ ...good, provider: { oauth2: { allow: () => true, ...settings } } });
const endpoints = {
  issuer: 'https://as.example',
  authorizationEndpoint: 'https://as.example/authorize',
  tokenEndpoint: 'https://as.example/token',
};

const allowFix = (member: string, value: string) =>
  `Write allow: (profile) => profile.${member} === "${value}"; in a configuration file, allow: 'profile.${member} == "${value}"'.`;
const ALLOW_FIX = allowFix('login', 'octocat');
const CLIENT_FIX =
  'Register an application at the identity provider, with the callback of this server, and give its id and secret.';
const SECRET_FIX = 'Print one with: openssl rand -base64 32';
const URL_FIX = 'Use https; plain http is accepted from localhost only, unless dangerouslyAllowHttp is true.';
const issuesItself = 'this server then issues the tokens itself. Remove it.';

test.each([
  ['github', {}],
  ['google', {}],
  ['gitlab', { url: 'https://gitlab.example' }],
  ['oauth2', { ...endpoints, userinfoEndpoint: 'https://as.example/me' }],
  ['oauth2', { ...endpoints, jwksUri: 'https://as.example/keys' }],
])('%s is accepted, with a rule', (name, settings) => {
  const { lines, logger } = createRecordingLogger();
  const policy = { ...good, provider: { [name]: { allow: () => true, ...settings } }, logger };
  mcpAuth(policy as unknown as McpAuthOptions);
  expect(lines.filter((line) => !line.startsWith('info'))).toEqual([]);
});

test('an identity provider can be one of several issuers, beside API keys', () => {
  const { oauthProxy, resourceMetadata, ...login } = good;
  const others = [{ issuer: 'https://ci.example', jwks: { url: 'https://ci.example/keys' } }];
  const apiKeys = [{ sha256: 'a'.repeat(64) }];
  mcpAuth({ issuers: [...others, login], oauthProxy, resourceMetadata, apiKeys });
});

test('the issuer may be given if it is the right one', () => {
  mcpAuth({ ...good, issuer: 'https://github.com' } as unknown as McpAuthOptions);
});

describe('refused:', () => {
  test.each<[string, unknown, string]>([
    [
      'no rule',
      withGithub({}),
      `"provider.github.allow" must be given, since anyone can have an account there, but got undefined. ${ALLOW_FIX} Or set dangerouslyAllowEveryone to true.`,
    ],
    [
      'no rule for Google',
      { ...good, provider: { google: {} } },
      `"provider.google.allow" must be given, since anyone can have an account there, but got undefined. ${allowFix('hd', 'example.com')} Or set dangerouslyAllowEveryone to true.`,
    ],
    [
      'a list of accounts for GitLab',
      { ...good, provider: { gitlab: { allow: ['ada'] } } },
      `"provider.gitlab.allow" must be a function, but got ["ada"]. ${allowFix('nickname', 'octocat')}`,
    ],
    [
      'only its name',
      { ...good, provider: 'github' },
      '"provider" must be an object where users log in at an identity provider, but got "github". Write provider: { github: { allow: (profile) => … } }: users log in there, and this server issues the tokens.',
    ],
    [
      'a misspelled name',
      { ...good, provider: { githb: { allow: () => true } } },
      '"provider" must be one of "standard", "keycloak", "auth0", "okta", "entra", "authentik", "descope", "cognito", "clerk", "zitadel", but got "githb". Did you mean { github: { allow: … } }?',
    ],
    [
      'the client among its settings',
      withGithub({ allow: () => true, clientId: 'our-app' }),
      '"provider.github" must be an object without "clientId", which is an option of the policy. Write clientId next to "provider", not inside it.',
    ],
    [
      'a rule, and everyone',
      withGithub({ allow: () => true, dangerouslyAllowEveryone: true }),
      '"provider.github.dangerouslyAllowEveryone" must be left out where "allow" is given, but got true. Remove one of the two.',
    ],
    [
      'an expression in code',
      withGithub({ allow: 'profile.login == "octocat"' }),
      `"provider.github.allow" must be a function, but got "profile.login == \\"octocat\\"". ${ALLOW_FIX}`,
    ],
    [
      'true in place of its settings',
      withGithub(true),
      '"provider.github" must be an object, but got true. Write { github: { allow: (profile) => … } }.',
    ],
    [
      'an unknown setting',
      withGithub({ alow: () => true }),
      '"provider.github.alow" must be a known option, but got "alow". Did you mean "allow"?',
    ],
    [
      'a rule of another tool, outside of allow',
      { ...good, provider: { google: { hd: 'acme.example' } } },
      `"provider.google.hd" must be left out. Write it in "allow": allow: (profile) => profile.hd === "example.com"; in a configuration file, allow: 'profile.hd == "example.com"'.`,
    ],
    [
      'an organization outside of allow',
      withGithub({ organization: 'acme' }),
      `"provider.github.organization" must be left out. Write it in "allow": allow: (profile) => (profile.organizations as string[]).includes("acme"); in a configuration file, allow: '"acme" in profile.organizations'. It needs scopes: ["read:org"] at GitHub.`,
    ],
    [
      'two of them',
      { ...good, provider: { github: { allow: () => true }, google: {} } },
      '"provider" must be exactly one provider, but got ["github","google"]. Keep one of them.',
    ],
    [
      'one with another kind of provider',
      { ...good, provider: { keycloak: {}, google: {} } },
      '"provider" must be exactly one provider, but got ["keycloak","google"]. Keep one of them.',
    ],
    [
      'http',
      withGithub({ allow: () => true, url: 'http://git.example' }),
      `"provider.github.url" must be an https URL, but got "http://git.example". ${URL_FIX}`,
    ],
    [
      'no client id',
      { ...good, clientId: undefined },
      `"clientId" must be a non-empty string, but got undefined. ${CLIENT_FIX}`,
    ],
    [
      'no client secret',
      { ...good, clientSecret: undefined },
      `"clientSecret" must be a non-empty string. ${CLIENT_FIX}`,
    ],
    [
      'no secret',
      { ...good, oauthProxy: undefined },
      `"oauthProxy.secret" must be given where provider.github is, since with a random one every login would end at a restart. ${SECRET_FIX}`,
    ],
    [
      'no OAuth proxy',
      { ...good, oauthProxy: false },
      '"oauthProxy" must be an object, but got false. Write { secret: … }. Print one with: openssl rand -base64 32',
    ],
    [
      'the URL of metadata',
      { ...good, oauthProxy: { secret: SECRET, metadataUrl: 'https://github.com/x' } },
      '"oauthProxy.metadataUrl" must be left out where provider.github is given: the endpoints of that server are known, but got "https://github.com/x". Remove it.',
    ],
    [
      'no resource',
      { ...good, resourceMetadata: {} },
      '"resourceMetadata.resource" must be given together with "provider", but got undefined. Write the address that clients use, for example "https://mcp.example.com/mcp".',
    ],
    [
      'another issuer',
      { ...good, issuer: 'https://as.example' },
      '"issuer" must be left out, or "https://github.com", where users log in at GitHub, but got "https://as.example". Remove it.',
    ],
    ...['audiences', 'jwks', 'subjectClaim', 'scopesClaim', 'tenants', 'exclusiveAudience'].map(
      (name): [string, unknown, string] => [
        name,
        { ...good, [name]: 'x' },
        `"${name}" must be left out where provider.github is given: ${issuesItself}`,
      ],
    ),
    [
      'introspection',
      { ...good, introspection: { clientId: 'a', clientSecret: 'b' } },
      '"introspection" must be left out where an identity provider is all that the policy has: this server issues the tokens. Remove it.',
    ],
    [
      'tokens bound to a key',
      { ...good, senderConstraint: { dpop: { required: true } } },
      '"senderConstraint.dpop.required" must be false where "provider" is given, since no proof passes through the OAuth proxy, but got true. Set oauthProxy to false, so that clients log in at the issuer itself.',
    ],
    [
      'tokens bound to a certificate',
      { ...good, senderConstraint: { mtls: { required: true, getCertificate: () => undefined } } },
      '"senderConstraint.mtls.required" must be false where provider.github is given: the tokens that this server issues are bound to no certificate, but got true. Remove it.',
    ],
    [
      'a server that does not say who the user is',
      withOther(endpoints),
      '"provider.oauth2" must be able to say who the user is. Give userinfoEndpoint, jwksUri, or both.',
    ],
    [
      'a server without its endpoints',
      withOther({ issuer: 'https://as.example' }),
      '"provider.oauth2.authorizationEndpoint" must be given, but got undefined. Give the address of the endpoint.',
    ],
    [
      'two issuers with one',
      {
        ...good,
        issuers: [1, 2].map(() => ({ provider: good.provider, clientId: 'a', clientSecret: 'b' })),
        provider: undefined,
        clientId: undefined,
        clientSecret: undefined,
      },
      '"issuers[1].provider" must be left out where another issuer has an identity provider: users log in at one. Write one policy for each.',
    ],
  ])('%s', (_name, policy, message) => {
    for (const construct of [mcpAuth, protectedResourceMetadata]) {
      expect(() => construct(policy as McpAuthOptions)).toThrow(`${construct.name}(): option ${message}`);
    }
  });
});

describe('in a configuration file', () => {
  const start = async (github: unknown) => {
    const policy = { ...good, provider: { github } };
    const text = configText({ route: { policies: { mcpAuthentication: policy } } });
    const { lines, logger } = createRecordingLogger();
    await createGateway(parseConfigFile(text, '/'), logger).close();
    return lines;
  };

  test('the rule is an expression', async () => {
    expect(await start({ allow: 'profile.login == "octocat"' })).not.toContainEqual(
      expect.stringMatching(/^(?:warn|error)/),
    );
  });

  test.each<[string, unknown, RegExp]>([
    [
      'does not parse',
      'profile.login ==',
      /provider\.github\.allow" must be a CEL expression, but got "profile\.login =="/,
    ],
    ['reads a claim', 'jwt.sub == "1"', /C?olumn 1: a login has no jwt; write profile/],
    ['is no condition', '1 + 1', /it is of type int, not true or false/],
    ['is a list', ['profile.login'], /"provider\.github\.allow" must be a function/],
    ['is missing', undefined, /"provider\.github\.allow" must be given/],
  ])('a rule is refused that %s', async (_name, allow, message) => {
    await expect(start({ allow })).rejects.toThrow(message);
  });
});
