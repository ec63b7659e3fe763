import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { answer, authentication, refusal, scripted, serveFile } from '../support/file-gateway.js';
import { callText, open, post } from '../support/mcp-requests.js';

describe('the section mcp', () => {
  test('serves one program on a port of its own', async () => {
    const { origin } = await serveFile({ mcp: { port: 0, targets: [scripted('only')] } });
    const session = await open(`${origin}/mcp`);
    expect(await callText(`${origin}/mcp`, session, 'echo', { a: 1 })).toBe('{"a":1}');
  });

  test('has port 3000 without a port and without gateways', () => {
    const { binds } = parseConfigFile(JSON.stringify({ mcp: { targets: [scripted('only')] } }), '/');
    expect(binds.map(({ port, at }) => [port, at])).toEqual([[3000, 'mcp']]);
  });

  test('serves the documents of mcpAuthentication, and asks for a token', async () => {
    const policies = authentication('http://localhost:3000/mcp');
    const { origin } = await serveFile({ mcp: { port: 0, targets: [scripted('only')], policies } });
    expect((await post(`${origin}/mcp`, {})).status).toBe(401);
    const document = await fetch(`${origin}/.well-known/oauth-protected-resource/mcp`);
    expect(await document.json()).toHaveProperty('resource', 'http://localhost:3000/mcp');
  });

  test('serves several programs as one, with their names before those of their tools', async () => {
    const { origin } = await serveFile({
      mcp: { port: 0, targets: [scripted('one'), scripted('two', { args: ['-e', ''] })], failureMode: 'failOpen' },
    });
    const session = await open(`${origin}/mcp`);
    expect(await callText(`${origin}/mcp`, session, 'one_echo', { a: 1 })).toBe('{"a":1}');
  });

  test('serves a program without sessions if it is stateless', async () => {
    const { origin } = await serveFile({ mcp: { port: 0, targets: [scripted('only')], statefulMode: 'stateless' } });
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } };
    const response = await post(`${origin}/mcp`, message);
    expect([response.status, response.headers.has('mcp-session-id')]).toEqual([200, false]);
    expect(await response.json()).toHaveProperty('result');
  });

  test('is attached to the gateway called default, at /mcp', async () => {
    const { origins } = await serveFile({
      gateways: { default: { port: 0 } },
      mcp: { targets: [scripted('only')] },
      routes: [{ policies: answer('other') }],
    });
    expect(origins.length).toBe(1);
    await open(`${origins[0]}/mcp`);
    expect(await (await fetch(`${origins[0]}/else`)).text()).toBe('other');
  });

  test('with dnsRebindingProtection, takes only names of this machine as Host, on every address', () => {
    const mcp = { targets: [scripted('only')], dnsRebindingProtection: true };
    const [listener] = parseConfigFile(JSON.stringify({ mcp }), '/').binds[0]?.listeners ?? [];
    expect(listener?.routes[0]?.backend?.options).toEqual({ allowedHosts: ['localhost', '127.0.0.1', '[::1]'] });
  });

  test('has options of the backend beside targets, and config.mcp.sessionTtl', () => {
    const file = { config: { mcp: { sessionTtl: '90s' } }, mcp: { targets: [scripted('only')], maxSessions: 7 } };
    const [listener] = parseConfigFile(JSON.stringify(file), '/').binds[0]?.listeners ?? [];
    expect(listener?.routes[0]?.backend?.options).toEqual({ idleTimeoutSeconds: 90, maxSessions: 7 });
  });

  test.each([
    [
      'a target without a name',
      [scripted('a'), { stdio: { cmd: 'x' } }],
      'mcp.targets has several items, so each needs a name, but mcp.targets[1] has none',
    ],
    ['two targets with one name', [scripted('a'), scripted('a')], 'mcp.targets has two items with the name "a"'],
    [
      'an option of all targets in one of them',
      [scripted('a'), scripted('b', { maxSessions: 1 })],
      'mcp.targets has several items, so write maxSessions beside it, and not in mcp.targets[1].stdio',
    ],
  ])('%s is refused', (_what, targets, message) => {
    expect(refusal({ mcp: { targets } })).toBe(message);
  });

  const remote = (more: object) => [{ mcp: { host: 'https://mcp.example.com/mcp', ...more } }];
  const timeout = { backendRequestTimeout: '5s' };
  test.each<[string, object, string]>([
    [
      'an option beside targets and in the only one',
      { maxBodyBytes: 200, targets: [scripted('a', { maxBodyBytes: 100_000 })] },
      'mcp.maxBodyBytes is also in mcp.targets[0].stdio: write it once',
    ],
    [
      'an option beside targets and in the only one, which is remote',
      { maxSessions: 2, targets: remote({ maxSessions: 100 }) },
      'mcp.maxSessions is also in mcp.targets[0].mcp: write it once',
    ],
    [
      'names of hosts with dnsRebindingProtection',
      { dnsRebindingProtection: true, allowedHosts: ['mcp.example.com'], targets: [scripted('a')] },
      'mcp.dnsRebindingProtection contradicts mcp.allowedHosts: remove one of them',
    ],
    [
      'names of hosts in a target with dnsRebindingProtection',
      { dnsRebindingProtection: true, targets: [scripted('a', { allowedHosts: ['mcp.example.com'] })] },
      'mcp.dnsRebindingProtection contradicts mcp.targets[0].stdio.allowedHosts: remove one of them',
    ],
    [
      'two times in which a target must answer',
      { requestTimeoutSeconds: 0, targets: [scripted('a')], policies: { timeout } },
      'mcp.policies.timeout contradicts mcp.requestTimeoutSeconds: remove one of them',
    ],
    [
      'two times in which a remote target must answer',
      { targets: remote({ responseTimeoutSeconds: 0 }), policies: { timeout } },
      'mcp.policies.timeout contradicts mcp.targets[0].mcp.responseTimeoutSeconds: remove one of them',
    ],
    [
      'an option in the only target, with a pin',
      { pin: true, targets: [scripted('a', { maxSessions: 1 })] },
      'mcp.targets is served with pin, so write maxSessions beside it, and not in mcp.targets[0].stdio',
    ],
    [
      'an option in the only target, without sessions',
      { statefulMode: 'stateless', targets: [scripted('a', { maxBodyBytes: 1 })] },
      'mcp.targets is served with statefulMode: stateless, so write maxBodyBytes beside it, and not in mcp.targets[0].stdio',
    ],
    [
      'an option in the only target, with a prefix',
      { prefixMode: 'always', targets: [scripted('a', { maxBodyBytes: 1 })] },
      'mcp.targets is served with prefixMode: always, so write maxBodyBytes beside it, and not in mcp.targets[0].stdio',
    ],
  ])('%s is refused', (_what, mcp, message) => {
    expect(refusal({ mcp })).toBe(message);
  });

  test.each<[string, object]>([
    [
      'a shorter time of one of several targets',
      {
        targets: [scripted('a'), { name: 'b', ...remote({ responseTimeoutSeconds: 5 })[0] }],
        policies: { timeout: { backendRequestTimeout: '60s' } },
      },
    ],
    ['another limit of time', { requestTimeoutSeconds: 9, policies: { timeout: { requestTimeout: '5s' } } }],
    [
      'an option in the only target, with a name for several servers',
      { serverInfo: { name: 'a', version: '1' }, targets: [scripted('a', { maxSessions: 1 })] },
    ],
    ['names of hosts without dnsRebindingProtection', { dnsRebindingProtection: false, allowedHosts: ['a.example'] }],
  ])('%s is accepted', (_what, mcp) => {
    expect(() => parseConfigFile(JSON.stringify({ mcp: { targets: [scripted('a')], ...mcp } }), '/')).not.toThrow();
  });
});
