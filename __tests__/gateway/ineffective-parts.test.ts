import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { warningsOfIneffectiveParts } from '../../src/gateway/ineffective-parts.js';
import type { LogSettings } from '../../src/gateway/log-settings.js';
import { scripted } from '../support/file-gateway.js';

const warningsFor = (file: object, logging: LogSettings = {}) =>
  warningsOfIneffectiveParts(parseConfigFile(JSON.stringify(file), '/'), logging);

const mcp = { targets: [scripted('one')] };
const withConfig = (config: object, frontendPolicies: object = {}) => ({ mcp, config, frontendPolicies });
const accessLog = { accessLog: {} };
const hidden = (level: string) =>
  `the access log of frontendPolicies has no effect, because its lines are info and the log level is ${level}: lower that`;

test.each<[string, object, LogSettings, readonly string[]]>([
  ['an access log', withConfig({}, accessLog), {}, []],
  ['an access log with the level warn', withConfig({ logging: { level: 'warn' } }, accessLog), {}, [hidden('warn')]],
  ['an access log with --log-level error', withConfig({}, accessLog), { level: 'error' }, [hidden('error')]],
  ['--log-level info before warn', withConfig({ logging: { level: 'warn' } }, accessLog), { level: 'info' }, []],
  ['the level warn alone', withConfig({ logging: { level: 'warn' } }), {}, []],
  ['a password', withConfig({ adminPassword: 'a long password' }), {}, []],
  [
    'a password without an admin address',
    withConfig({ adminPassword: 'a long password', adminAddr: 'off' }),
    {},
    ['config.adminPassword has no effect, because the admin address is off: remove one of them'],
  ],
  [
    'backends, of which a route names one',
    {
      gateways: { default: { port: 0 } },
      backends: ['used', 'unused'].map((name) => ({ name, mcp })),
      routes: [{ backends: [{ backend: 'used' }] }],
    },
    {},
    ['backends[1] has no effect, because no route names it'],
  ],
])('the warnings about %s', (_what, file, logging, warnings) => {
  expect(warningsFor(file, logging)).toEqual(warnings);
});

test('a backend that --ignore leaves out has no warning', () => {
  const file = { mcp, backends: [{ name: 'a', ai: {} }] };
  const config = parseConfigFile(JSON.stringify(file), '/', { ignored: ['ai'] });
  expect(warningsOfIneffectiveParts(config, {})).toEqual([]);
});

const hosts = (listener: string, ...hostnames: readonly string[]) => ({
  gateways: { default: { port: 0, hostname: listener } },
  routes: [{ hostnames, backends: [{ mcp }] }],
});

test.each<[string, readonly string[], boolean]>([
  ['a.test', [], true],
  ['a.test', ['a.test'], true],
  ['a.test', ['A.test', 'b.test'], true],
  ['a.test', ['b.test'], false],
  ['a.test', ['*.test'], true],
  ['a.test', ['*.a.test'], false],
  ['*.a.test', ['b.a.test'], true],
  ['*.a.test', ['*.b.a.test'], true],
  ['*.b.a.test', ['*.a.test'], true],
  ['*.a.test', ['a.test'], false],
  ['*.a.test', ['*.b.test'], false],
  ['*', ['b.test'], true],
])('the listener %s serves a route with the host names %j: %s', (listener, hostnames, isServed) => {
  const problem = 'routes[0] gets no requests: none of its hostnames fits the hostname of its listener';
  expect(warningsFor(hosts(listener, ...hostnames))).toEqual(isServed ? [] : [problem]);
});

test('a route has a warning only if none of its listeners serves it', () => {
  const gateways = { a: { port: 0, hostname: 'a.test' }, b: { port: 0, hostname: 'b.test' } };
  const file = (host: string) => ({
    gateways,
    routes: [{ gateways: ['a', 'b'], hostnames: [host], backends: [{ mcp }] }],
  });
  expect([warningsFor(file('b.test')), warningsFor(file('c.test'))]).toEqual([
    [],
    ['routes[0] gets no requests: none of its hostnames fits the hostname of its listener'],
  ]);
});
