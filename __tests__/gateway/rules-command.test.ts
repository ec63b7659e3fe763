import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runRulesCommand } from '../../src/gateway/rules-command.js';
import { configText, route } from '../support/config-text.js';

const at = `${route}.policies.mcpAuthorization`;
const RULES = [
  'mcp.tool.name == "echo"',
  { allow: 'mcp.tool.name == "write"', scopes: ['files:write'] },
  { allow: 'jwt.role == "admin"' },
  { deny: 'mcp.tool.arguments.path.startsWith("/etc/")' },
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rules-'));
  return () => rmSync(folder, { recursive: true });
});

function write(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const config = (rules: unknown = RULES) =>
  write('config.yaml', configText({ route: { policies: { mcpAuthorization: { rules } } } }));
const call = (name: string, args: object = {}) =>
  write('call.json', { method: 'tools/call', params: { name, arguments: { path: '/home', ...args } } });

function run(callFile: string, claims?: object, rules?: unknown) {
  const caller = claims === undefined ? [] : ['--as', write('claims.json', claims)];
  return runRulesCommand(['test', '-f', config(rules), '--call', callFile, ...caller]);
}

describe('express-mcp-auth rules test', () => {
  test.each<
    [what: string, name: string, args: object, claims: object | undefined, lines: string[], isAllowed: boolean]
  >([
    [
      'the rule that allows',
      'echo',
      {},
      undefined,
      ['allowed: the tool echo: rules[0] decides: mcp.tool.name == "echo"'],
      true,
    ],
    [
      'the rule that denies',
      'echo',
      { path: '/etc/x' },
      {},
      ['denied: the tool echo: rules[3].deny decides: mcp.tool.arguments.path.startsWith("/etc/")'],
      false,
    ],
    ['no rule that matches', 'add', {}, undefined, ['denied: the tool add: no rule allows it'], false],
    [
      'scopes that are missing',
      'write',
      {},
      { role: 'x', scope: 'a b' },
      ['denied: the tool write: the caller lacks a scope of files:write'],
      false,
    ],
    [
      'scopes',
      'write',
      {},
      { scp: ['files:write'] },
      ['allowed: the tool write: rules[1].allow decides: mcp.tool.name == "write"'],
      true,
    ],
    [
      'a claim',
      'add',
      {},
      { role: 'admin' },
      ['allowed: the tool add: rules[2].allow decides: jwt.role == "admin"'],
      true,
    ],
    [
      'a rule that fails',
      'add',
      {},
      {},
      ['rules[2].allow failed: no_such_key', 'denied: the tool add: no rule allows it'],
      false,
    ],
  ])('names %s', (_what, name, args, claims, lines, isAllowed) => {
    expect(run(call(name, args), claims)).toEqual({ lines: [at, ...lines.map((line) => `  ${line}`)], isAllowed });
  });

  test.each([
    ['request.host', 'localhost'],
    ['request.uri', 'http://localhost/'],
    ['request.method', 'POST'],
  ])('%s of the call is %s', (variable, value) => {
    const rules = [{ deny: `${variable} == "admin.example.com"` }, `${variable} == "${value}"`];
    const lines = [at, `  allowed: the tool add: rules[1] decides: ${rules[1]}`];
    expect(run(call('add'), undefined, rules)).toEqual({ lines, isAllowed: true });
  });

  test('knows deny rules without any allow, and calls that rules do not restrict', () => {
    expect(run(call('add'), undefined, [{ deny: 'false' }]).lines[1]).toBe(
      '  allowed: the tool add: no rule denies it, and there is no allow rule',
    );
    expect(run(write('call.json', { method: 'ping' })).lines[1]).toBe('  allowed: rules do not decide on ping');
  });

  test.each([
    ['echo', { statefulMode: 'stateless' }],
    ['echo', { pin: {} }],
    ['default_echo', { prefixMode: 'always' }],
  ])('knows the name %s of the only target, which has no name, with %j', (name, more) => {
    const policies = { mcpAuthorization: { rules: ['mcp.tool.name == "echo" && mcp.tool.target == "default"'] } };
    const file = { mcp: { ...more, targets: [{ stdio: { cmd: 'node' } }], policies } };
    const { lines } = runRulesCommand(['test', '-f', write('only.yaml', file), '--call', call(name)]);
    expect(lines[1]).toContain(`allowed: the tool ${name}: rules[0] decides`);
  });

  test.each([
    [['echo', 'echo'], true],
    [['write', 'echo'], false],
    [['echo', 'write'], false],
  ])('of several calls, all must be allowed: %j', (names, isAllowed) => {
    const calls = names.map((name, index) =>
      write(`call-${index}.json`, { method: 'tools/call', params: { name, arguments: { path: '/home' } } }),
    );
    const args = ['test', '-f', config(), ...calls.flatMap((file) => ['--call', file])];
    const lines = names.flatMap((name, index) => {
      const decision = name === 'echo' ? 'allowed: the tool echo: rules[0]' : 'denied: the tool write: the caller';
      return [calls[index], `  ${at}`, expect.stringContaining(`    ${decision}`)];
    });
    expect(runRulesCommand(args)).toEqual({ lines, isAllowed });
  });

  test('if one of several calls cannot be read, none is decided on', () => {
    const args = ['test', '-f', config(), '--call', call('echo'), '--call', join(folder, 'none')];
    expect(() => runRulesCommand(args)).toThrow(`${join(folder, 'none')}: the file does not exist`);
  });

  test('--help prints the usage', () => {
    expect(runRulesCommand(['--help'])).toEqual({
      lines: [expect.stringContaining('Usage: express-mcp-auth rules test')],
      isAllowed: true,
    });
  });

  test.each<[what: string, args: () => string[], message: string | RegExp]>([
    [
      'no action',
      () => ['-f', config(), '--call', call('a')],
      'write "rules test". See express-mcp-auth rules --help.',
    ],
    ['no call', () => ['test', '-f', config()], '-f FILE and --call FILE are needed'],
    [
      'several files after one --call, as of a pattern',
      () => ['test', '-f', config(), '--call', call('a'), 'b.json'],
      'unexpected argument: write --call before each file. See express-mcp-auth rules --help.',
    ],
    ['an unknown option', () => ['test', '--who', 'x'], "Unknown option '--who'"],
    [
      'a call that is no JSON',
      () => ['test', '-f', config(), '--call', write('call.json', 'secret')],
      'call.json: it is not JSON',
    ],
    [
      'a call that is a list',
      () => ['test', '-f', config(), '--call', write('call.json', [])],
      'call.json: it must be a JSON object',
    ],
    [
      'a call without a method',
      () => ['test', '-f', config(), '--call', write('call.json', {})],
      'call.json: the call cannot be used: The body is not a JSON-RPC 2.0 message. Write {"method": "tools/call", ',
    ],
    [
      'a file that does not exist',
      () => ['test', '-f', join(folder, 'none'), '--call', call('a')],
      /^(?!.*none.*none).*none: the file does not exist$/s,
    ],
    [
      'a rule that is wrong',
      () => ['test', '-f', config(['tru']), '--call', call('a')],
      `config.yaml: ${at}: mcpAuthorization(): option "rules[0]"`,
    ],
    [
      'a file without rules',
      () => ['test', '-f', write('config.yaml', configText()), '--call', call('a')],
      'config.yaml: no route has mcpAuthorization',
    ],
  ])('refuses %s', (_what, args, message) => {
    expect(() => runRulesCommand(args())).toThrow(message);
  });
});
