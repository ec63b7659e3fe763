import https from 'node:https';
import { expect, onTestFinished, test } from 'vitest';
import { proxyAdvice } from '../../src/upstream/proxy-advice.js';
import { sendThrough } from '../support/forward-proxy.js';

const HTTPS = { HTTPS_PROXY: 'http://proxy.company:3128' };
const HTTP = { HTTP_PROXY: 'http://proxy.company:3128' };
const AUTH = 'https://auth.example.com/jwks';
const UNUSED = 'HTTPS_PROXY is not used for this: start Node with NODE_USE_ENV_PROXY=1';

const REFUSED = { answered: false, code: 'ECONNREFUSED' };

type Case = readonly [what: string, url: string, env: Readonly<Record<string, string>>, advice: string | undefined];

test.each<Case>([
  ['no proxy', AUTH, {}, undefined],
  ['a proxy', AUTH, HTTPS, UNUSED],
  ['a proxy in lower case', AUTH, { https_proxy: 'http://a' }, UNUSED.replace('HTTPS_PROXY', 'https_proxy')],
  ['a proxy for another scheme', AUTH, HTTP, undefined],
  ['a proxy, for a server on this machine', 'http://localhost:9000/jwks', HTTP, undefined],
  ['a domain without a proxy', AUTH, { ...HTTPS, NO_PROXY: 'localhost, .example.com' }, undefined],
  ['a host and port without a proxy', AUTH, { ...HTTPS, no_proxy: 'auth.example.com:443' }, undefined],
  ['a host in capitals without a proxy', AUTH, { ...HTTPS, NO_PROXY: 'Auth.Example.com' }, undefined],
  ['no host with a proxy', AUTH, { ...HTTPS, NO_PROXY: '*' }, undefined],
  ['another domain that ends alike', AUTH, { ...HTTPS, NO_PROXY: 'ample.com' }, UNUSED],
])('a call that fails, with %s', (_what, url, env, advice) => {
  expect(proxyAdvice(new URL(url), REFUSED, env)).toBe(advice);
});

test('NODE_USE_ENV_PROXY is enough, except on versions of Node that do not know it', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isKnown = major >= 24 || (major === 22 && minor >= 21);
  const advice = proxyAdvice(new URL(AUTH), REFUSED, { ...HTTPS, NODE_USE_ENV_PROXY: '1' });
  expect(advice).toBe(isKnown ? undefined : 'HTTPS_PROXY needs Node 24, or 22 from 22.21');
});

test('a proxy that Node was told to use in another way, such as --use-env-proxy', () => {
  const url = new URL('http://auth.example.com/jwks');
  expect(proxyAdvice(url, REFUSED, HTTP)).toBe(UNUSED.replace('HTTPS_', 'HTTP_'));
  sendThrough(HTTP.HTTP_PROXY);
  expect(proxyAdvice(url, REFUSED, HTTP)).toBeUndefined();
});

test('an agent of another package, which has no options, is not one of Node with a proxy', () => {
  const { globalAgent } = https;
  onTestFinished(() => {
    https.globalAgent = globalAgent;
  });
  https.globalAgent = { addRequest: () => undefined } as unknown as https.Agent;
  expect(proxyAdvice(new URL(AUTH), REFUSED, HTTPS)).toBe(UNUSED);
});

test.each([
  ['ENOTFOUND', UNUSED],
  ['EAI_AGAIN', UNUSED],
  ['LOOKUP_TIMEOUT', UNUSED],
  ['ECONNREFUSED', UNUSED],
  ['ETIMEDOUT', UNUSED],
  ['EHOSTUNREACH', UNUSED],
  ['ENETUNREACH', UNUSED],
  ['TimeoutError', UNUSED],
  ['UND_ERR_CONNECT_TIMEOUT', UNUSED],
  ['ECONNRESET', undefined],
  ['EPROTO', undefined],
  ['HPE_INVALID_CONSTANT', undefined],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', undefined],
  ['ERR_TLS_CERT_ALTNAME_INVALID', undefined],
  ['ADDRESS_REFUSED', undefined],
  ['TOO_MANY_REQUESTS', undefined],
  [undefined, undefined],
])('an error shows that no server was reached, or that one was: %s', (code, advice) => {
  expect(proxyAdvice(new URL(AUTH), { answered: false, code }, HTTPS)).toBe(advice);
  expect(proxyAdvice(new URL(AUTH), { answered: true, code }, HTTPS)).toBeUndefined();
});
