import { describe, expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { good } from '../support/good-policy.js';
import { createRecordingLogger } from '../support/recording-logger.js';

/** The lines that are logged at construction. */
function linesOf(options: Record<string, unknown>): readonly string[] {
  const { lines, logger } = createRecordingLogger();
  mcpAuth({ ...good, ...options, logger } as McpAuthOptions);
  return lines;
}

const LOGIN = 'https://login.microsoftonline.com';

describe('an issuer of Entra that names no tenant', () => {
  test.each([
    `${LOGIN}/organizations/v2.0`,
    `${LOGIN}/common/v2.0`,
    `${LOGIN}/consumers/v2.0`,
    `${LOGIN}/Common/v2.0/`,
    `${LOGIN}/{tenantid}/v2.0`,
    'https://sts.windows.net/common/',
    'https://login.microsoftonline.us/organizations/v2.0',
    'https://login.partner.microsoftonline.cn/common/v2.0',
  ])('is warned about: %s', (issuer) => {
    const line = `warn mcpAuth(): no token will be accepted for issuer "${issuer}": the "iss" of each token names the tenant that issued it. Write the id of your tenant in its place, or one entry of issuers for each tenant.`;
    expect(linesOf({ issuer })).toEqual([line]);
    expect(linesOf({ issuer: undefined, jwks: undefined, issuers: [{ issuer, jwks: good.jwks }] })).toEqual([line]);
  });

  test.each([
    `${LOGIN}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0`,
    `${LOGIN}/contoso.example/v2.0`,
    'https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/',
    'https://issuer.example/common/v2.0',
    'agentgateway.dev',
  ])('is another than %s', (issuer) => {
    expect(linesOf({ issuer })).toEqual([]);
  });
});

describe('an issuer with opaque access tokens', () => {
  test.each([
    ['https://accounts.google.com', 'Google'],
    ['accounts.google.com', 'Google'],
    ['https://github.com/login/oauth', 'GitHub'],
    ['https://slack.com', 'Slack'],
  ])('is warned about: %s', (issuer, name) => {
    expect(linesOf({ issuer })).toEqual([
      `warn mcpAuth(): access tokens of issuer "${issuer}" will be refused: ${name} issues opaque access tokens, not JWTs. Check them with verifiers or introspection, or use an authorization server that issues JWT access tokens; users may log in there with ${name}.`,
    ]);
  });

  test.each(['https://accounts.google.com.example', 'https://token.actions.githubusercontent.com'])(
    'is another than %s',
    (issuer) => {
      expect(linesOf({ issuer })).toEqual([]);
    },
  );
});

describe('a scopesClaim', () => {
  test.each(['realm_access.roles', 'resource_access.my-client.roles', 'a.b'])('%s is warned about', (scopesClaim) => {
    expect(linesOf({ scopesClaim })).toEqual([
      expect.stringContaining(`warn mcpAuth(): scopesClaim "${scopesClaim}" is the name of one claim, not a path`),
    ]);
  });

  test.each(['roles', 'https://example.com/roles', 'urn:zitadel:iam:org:project:roles', 'cognito:groups'])(
    '%s is one name',
    (scopesClaim) => {
      expect(linesOf({ scopesClaim })).toEqual([]);
    },
  );
});
