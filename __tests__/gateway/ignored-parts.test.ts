import { describe, expect, onTestFinished, test } from 'vitest';
import { parseDoctorLine } from '../../src/gateway/command-line.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { runRulesCommand } from '../../src/gateway/rules-command.js';
import { refusal, scripted, serveFile } from '../support/file-gateway.js';
import { AUTHENTICATION, makeGatewayFolder } from '../support/gateway-folder.js';
import { callText, open } from '../support/mcp-requests.js';

describe('--ignore', () => {
  const file = {
    llm: {},
    mcp: { port: 0, targets: [scripted('one'), { name: 'api', openapi: { schema: {} } }], policies: { a2a: {} } },
  };

  test('leaves out sections, targets and policies that protect nothing', async () => {
    const { origin } = await serveFile(file, { ignored: ['llm', 'openapi', 'a2a'] });
    const session = await open(`${origin}/mcp`);
    expect(await callText(`${origin}/mcp`, session, 'echo', {})).toBe('{}');
  });

  test('refuses names that the file does not have, and policies that protect', () => {
    const read = (given: object, ignored: string[]) => () => parseConfigFile(JSON.stringify(given), '/', { ignored });
    expect(read(file, ['llm', 'openapi', 'a2a', 'ui'])).toThrow(
      'has no ui that can be left out: remove it from --ignore',
    );
    const protectedFile = { mcp: { targets: [scripted('a')], policies: { extAuthz: {} } } };
    expect(read(protectedFile, ['extAuthz'])).toThrow(
      'mcp.policies.extAuthz is not supported: no other server is asked',
    );
  });

  test.each(['openapi', 'sse'])('is the advice for a target of the kind %s beside another one', (kind) => {
    const targets = [{ name: 'a', [kind]: {} }, scripted('b')];
    expect(refusal({ mcp: { targets } })).toContain(`Or start without it: --ignore ${kind}.`);
  });

  const served = { name: 'notes', backends: [{ backend: 'notes' }] };
  const parts = {
    gateways: { default: { port: 0 } },
    backends: [
      { name: 'llm', ai: {}, policies: { transformations: {} } },
      { name: 'notes', mcp: { targets: [scripted('a')] } },
    ],
  };
  const ofBackend = { name: 'llm', matches: [{ path: { pathPrefix: '/v1' } }], backends: [{ backend: 'llm' }] };
  const inRoute = { ...ofBackend, backends: [{ ai: {} }] };
  const policyFor = (target: object, policy: object = { cors: { allowOrigins: ['*'] } }) => ({
    policies: [{ name: { name: 'x', namespace: 'default' }, target, policy }],
  });
  test.each<[what: string, file: object]>([
    ['a backend that a route names', { routes: [ofBackend, served] }],
    ['a policy for a route that is left out', { routes: [inRoute, served], ...policyFor({ route: { name: 'llm' } }) }],
    [
      'a policy for a backend that is left out',
      { routes: [served], ...policyFor({ backend: { backend: { name: 'llm' } } }) },
    ],
    ['an only policy', { routes: [served], ...policyFor({ route: { name: 'notes' } }, { ai: {} }) }],
  ])('leaves out %s, as the message says', (_what, more) => {
    const given = JSON.stringify({ ...parts, ...more });
    expect(() => parseConfigFile(given, '/')).toThrow('--ignore ai.');
    const { binds } = parseConfigFile(given, '/', { ignored: ['ai'] });
    expect(binds[0]?.listeners[0]?.routes.map(({ name }) => name)).toEqual(['notes']);
  });

  test('does not leave out a name that no part of the file has', () => {
    const wrong = policyFor({ route: { name: 'lmm' } });
    const read = (more: object) => () =>
      parseConfigFile(JSON.stringify({ ...parts, routes: [inRoute, served], ...more }), '/', { ignored: ['ai'] });
    expect(read(wrong)).toThrow('policies[0] has a target that the file does not have: route "lmm"');
    expect(read({ backends: [...parts.backends, { name: 'x' }] })).toThrow('backends[2] must have mcp');
  });

  test.each<[what: string, file: object, message: string]>([
    ['only target', { mcp: { targets: [{ name: 'a', openapi: {} }] } }, 'mcp.targets[0].openapi is not supported: '],
    ['only section', { llm: {} }, 'llm is not supported: '],
    [
      'only routes of a listener',
      { binds: [{ port: 0, listeners: [{ tcpRoutes: [] }] }] },
      'binds[0].listeners[0].tcpRoutes is not supported: ',
    ],
  ])('is no advice for the %s', (_what, given, message) => {
    expect(refusal(given)).toMatch(new RegExp(`^${message.replace(/[[\]]/g, '\\$&')}(?!.*--ignore)`));
  });

  test('is an option of rules test and of the doctor too', async () => {
    const folder = await makeGatewayFolder();
    onTestFinished(() => folder.remove());
    const policies = { mcpAuthentication: AUTHENTICATION, mcpAuthorization: { rules: ['true'] } };
    const text = JSON.stringify({ llm: {}, mcp: { targets: [scripted('a')], policies: { ...policies, a2a: {} } } });
    const args = ['-f', await folder.write('config.yaml', text), '--ignore', 'llm', '--ignore', 'a2a'];
    const call = ['--call', await folder.write('call.json', '{"method": "tools/call", "params": {"name": "x"}}')];
    expect(runRulesCommand(['test', ...args, ...call]).isAllowed).toBe(true);
    expect(parseDoctorLine(args)?.targets.map(({ url }) => url)).toEqual(['http://localhost:3000/mcp']);
    expect(() => parseDoctorLine(['https://a.example/mcp', '--ignore', 'llm'])).toThrow('--ignore needs -f FILE');
  });
});
