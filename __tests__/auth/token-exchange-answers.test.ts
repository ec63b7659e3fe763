import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { ACCESS_TOKEN, type ExchangeKind } from '../support/exchange-endpoints.js';
import { replyJson } from '../support/introspection-server.js';
import { setUpExchange as setUp } from '../support/upstream-app.js';

test.each<[string, ExchangeKind, Record<string, unknown>, string, Record<string, unknown>]>([
  [
    'a user who must enroll in MFA',
    'Entra',
    {},
    'needs-mfa',
    { status: 400, error: 'interaction_required', detail: 'AADSTS50079' },
  ],
  [
    'a user who has not consented',
    'Entra',
    {},
    'has-not-consented',
    { status: 400, error: 'invalid_grant', detail: 'AADSTS65001' },
  ],
  [
    'an unknown scope',
    'Entra',
    { scopes: ['nothing'] },
    'ada',
    { status: 400, error: 'invalid_scope', detail: 'AADSTS70011' },
  ],
  ['an unknown audience', 'RFC 8693', { audience: 'another' }, 'ada', { status: 400, error: 'invalid_target' }],
])('%s at %s: the error has the status and the code of the server', async (_what, kind, exchange, sub, evidence) => {
  const { server, ask, lines } = await setUp(kind, exchange);
  const { body } = await ask(server.issue(sub));
  const said = Object.values(evidence).join(', ');
  expect(body).toEqual({
    name: 'UpstreamTokenError',
    code: 'exchange_refused',
    message: `getUpstreamToken(): the authorization server refused to exchange the token (${said})`,
    evidence,
  });
  expect(lines.filter((line) => line.startsWith('error '))).toEqual([
    expect.stringMatching(
      new RegExp(`^error token exchange at http://127.*/token: it answered with status 400 ${evidence.error} \\(`),
    ),
  ]);
});

test.each<[string, ExchangeKind, Record<string, unknown>]>([
  ['a wrong secret', 'RFC 8693', { clientSecret: 'wrong' }],
  ['a wrong secret', 'Entra', { clientSecret: 'wrong' }],
  ['a client that is not known', 'Entra', { clientId: 'unknown' }],
  ['another authMethod than the server accepts', 'RFC 8693', { authMethod: 'client_secret_post' }],
])('%s at %s is an outage of this server: 502', async (_what, kind, exchange) => {
  const { server, ask } = await setUp(kind, exchange);
  const { body } = await ask(server.issue('ada'));
  expect(body).toMatchObject({ name: 'UpstreamError', code: 'client_refused', status: 502 });
});

const GOOD = { access_token: 'new', token_type: 'Bearer', issued_token_type: ACCESS_TOKEN, expires_in: 60 };

test.each<[string, (res: ServerResponse, form: URLSearchParams) => void, number, string]>([
  ['a status of 500', (res) => replyJson(res, {}, 500), 503, 'authorization_server_unavailable'],
  ['too many requests', (res) => replyJson(res, { error: 'slow_down' }, 429), 503, 'authorization_server_unavailable'],
  [
    'temporarily_unavailable',
    (res) => replyJson(res, { error: 'temporarily_unavailable' }, 400),
    503,
    'authorization_server_unavailable',
  ],
  ['server_error', (res) => replyJson(res, { error: 'server_error' }, 400), 503, 'authorization_server_unavailable'],
  ['a broken connection', (res) => void res.destroy(), 503, 'authorization_server_unavailable'],
  ['a redirect', (res) => void res.writeHead(307, { location: '/token' }).end(), 502, 'authorization_server_malformed'],
  ['a page', (res) => void res.writeHead(200).end('<html>'), 502, 'authorization_server_malformed'],
  ['a list', (res) => replyJson(res, []), 502, 'authorization_server_malformed'],
  ['a status of 404', (res) => replyJson(res, {}, 404), 502, 'authorization_server_malformed'],
  [
    'an answer without a token',
    (res) => replyJson(res, { ...GOOD, access_token: undefined }),
    502,
    'authorization_server_malformed',
  ],
  [
    'a token with a line end',
    (res) => replyJson(res, { ...GOOD, access_token: 'a\r\nb' }),
    502,
    'authorization_server_malformed',
  ],
  [
    'the MCP token',
    (res, form) => replyJson(res, { ...GOOD, access_token: form.get('subject_token') }),
    502,
    'authorization_server_malformed',
  ],
  [
    'a token bound to a key',
    (res) => replyJson(res, { ...GOOD, token_type: 'DPoP' }),
    502,
    'authorization_server_malformed',
  ],
  [
    'a token that is none of OAuth',
    (res) => replyJson(res, { ...GOOD, token_type: 'N_A' }),
    502,
    'authorization_server_malformed',
  ],
  ['no token_type', (res) => replyJson(res, { ...GOOD, token_type: undefined }), 502, 'authorization_server_malformed'],
  [
    'no issued_token_type',
    (res) => replyJson(res, { ...GOOD, issued_token_type: undefined }),
    502,
    'authorization_server_malformed',
  ],
  [
    'a refresh token',
    (res) => replyJson(res, { ...GOOD, issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
    502,
    'authorization_server_malformed',
  ],
  [
    'half a megabyte',
    (res) => replyJson(res, { ...GOOD, more: 'x'.repeat(524_288) }),
    502,
    'authorization_server_malformed',
  ],
])('an answer of the server that is %s: an outage', async (_what, behaviour, status, code) => {
  const { server, ask, lines } = await setUp('RFC 8693');
  server.behave(behaviour);
  const { body } = await ask(server.issue('ada'));
  expect(body).toMatchObject({ name: 'UpstreamError', code, status });
  expect(lines.filter((line) => line.startsWith('error token exchange'))).toHaveLength(1);
});
