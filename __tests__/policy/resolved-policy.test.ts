import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { ConfigError, type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { good } from '../support/good-policy.js';
import { serve } from '../support/loopback-server.js';
import { postJson, REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { startProviderServer } from '../support/provider-server.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const RESOURCE = 'https://one-policy.example/one-policy';
let hosts = 0;
const BASE = '/.well-known/oauth-authorization-server/one-policy';
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/**
 * Options of an OAuth proxy without a secret, for a resource that no other test uses. A port of an earlier test can return, so the
 * issuer alone does not tell two tests apart.
 */
async function startOAuthProxyOptions() {
  const { lines, logger } = createRecordingLogger();
  const upstream = await startProviderServer(PROVIDER_BEHAVIOURS.keycloak.kind);
  const options = {
    issuer: upstream.issuer,
    audiences: ['mcp_proxy'],
    provider: { keycloak: {} },
    resourceMetadata: { resource: `https://${hosts++}.one-policy.example/one-policy` },
    logger,
  } as const satisfies McpAuthOptions;
  return { options, lines };
}

/** Registers a client at one server, and asks the other to log it in. */
async function statusOfLogin(registeredAt: string, loggedInAt: string): Promise<number> {
  const { body } = await postJson(`${registeredAt}${BASE}/client-registration`, { redirect_uris: [REDIRECT_URI] });
  return (await rawClient(loggedInAt + BASE, body.client_id as string).authorize()).response.status;
}

const RANDOM =
  'warn oauthProxy.secret is not set: a random one is used, so every client must log in again after a restart, and replicas do not accept the clients of each other';
const twins = ({
  issuer,
  resourceMetadata: { resource },
}: {
  issuer: string;
  resourceMetadata: { resource: string };
}) =>
  `warn oauthProxy.secret is not set in two policies for ${resource} with the issuer ${issuer}: each refuses the clients of the other. ` +
  'Set oauthProxy.secret, or call protectedResourceMetadata() with the options object or the result of mcpAuth()';

describe('an OAuth proxy without a secret is a single one', () => {
  test.each(['the same object', 'what mcpAuth() returned'])('for both middlewares with %s', async (given) => {
    const { options, lines } = await startOAuthProxyOptions();
    const auth = mcpAuth(options);
    const metadata = protectedResourceMetadata(given === 'the same object' ? options : auth);
    const [one, other] = [await serve(express().use(auth)), await serve(express().use(metadata))];
    expect(await statusOfLogin(one, other)).toBe(303);
    expect(await statusOfLogin(other, one)).toBe(303);
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([RANDOM]);
  });

  test('two for two equal objects, with a warning about the second', async () => {
    const { options, lines } = await startOAuthProxyOptions();
    const one = await serve(express().use(mcpAuth(options)));
    expect(lines).toEqual([RANDOM]);
    const other = await serve(express().use(protectedResourceMetadata({ ...options })));
    expect(lines).toEqual([RANDOM, RANDOM, twins(options)]);
    expect(await statusOfLogin(one, other)).toBe(400);
  });
});

test.each<[string, Record<string, unknown>]>([
  ['a secret', { oauthProxy: { secret: 'a secret of thirty-two characters' } }],
  ['oauthProxy: false', { oauthProxy: false }],
  ['another resource', { resourceMetadata: { resource: 'https://mcp.example/other' } }],
  ['another issuer', { issuer: 'https://other.example' }],
])('with %s there is no warning of a second policy', async (_name, changes) => {
  const { options, lines } = await startOAuthProxyOptions();
  const auth = mcpAuth(options);
  protectedResourceMetadata({ ...options, ...changes } as McpAuthOptions);
  expect(lines.filter((line) => line.includes('two policies'))).toEqual([]);
  expect(auth).toBeTypeOf('function');
});

test('protectedResourceMetadata() accepts what mcpAuth() returned instead of the options', async () => {
  const app = express().use(protectedResourceMetadata(mcpAuth({ ...good, resourceMetadata: { resource: RESOURCE } })));
  const { body } = await request(app).get(WELL_KNOWN);
  expect(body.resource).toBe(RESOURCE);
});

test.each([
  ['mcpAuth()', () => mcpAuth(mcpAuth({ ...good }) as never)],
  ['protectedResourceMetadata()', () => protectedResourceMetadata((() => undefined) as never)],
  ['protectedResourceMetadata()', () => protectedResourceMetadata(protectedResourceMetadata({ ...good }) as never)],
])('%s refuses every other function', (who, construct) => {
  expect(construct).toThrow(ConfigError);
  expect(construct).toThrow(`${who}: option "options" must be an object`);
});

describe('options that change after they were read are refused by the next function', () => {
  test.each<[string, (options: Record<string, unknown>) => void]>([
    ['a member', (options) => Object.assign(options, { mode: 'strict' })],
    [
      'a member of a member',
      (options) => Object.assign(options.resourceMetadata as object, { resource: 'https://b.example' }),
    ],
    ['a list', (options) => (options.audiences as string[]).push('more')],
    ['a member more', (options) => Object.assign(options, { senderConstraint: { dpop: {} } })],
    ['a member less', (options) => void delete options.audiences],
    ['the logger', (options) => Object.assign(options, { logger: createRecordingLogger().logger })],
  ])('%s', (_name, change) => {
    for (const [first, then] of [
      [mcpAuth, protectedResourceMetadata],
      [protectedResourceMetadata, mcpAuth],
      [mcpAuth, mcpAuth],
    ] as const) {
      const options = {
        ...good,
        mode: 'optional',
        audiences: ['api'],
        resourceMetadata: { resource: RESOURCE },
        logger: createRecordingLogger().logger,
      };
      first(options as McpAuthOptions);
      expect(() => then(options as McpAuthOptions)).not.toThrow();
      change(options);
      expect(() => then(options as McpAuthOptions)).toThrow(ConfigError);
      expect(() => then(options as McpAuthOptions)).toThrow(
        `${then.name}(): option "options" must be unchanged since another call read it: calls with the same object share one policy. Give each policy its own object.`,
      );
    }
  });

  test('but a logger may have a state', () => {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const options = { ...good, logger: { lines, debug: write, info: write, warn: write, error: write } };
    mcpAuth(options);
    lines.push('changed');
    expect(() => protectedResourceMetadata(options)).not.toThrow();
  });
});

test('options that are refused once are read again', () => {
  const options = { ...good, mode: 'lax' };
  expect(() => mcpAuth(options as never)).toThrow('"mode"');
  options.mode = 'strict';
  expect(() => mcpAuth(options as never)).not.toThrow();
});
