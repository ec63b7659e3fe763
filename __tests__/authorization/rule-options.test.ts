import { expect, test } from 'vitest';
import { type McpAuthorizationOptions, mcpAuthorization, mcpBackend } from '../../src/index.js';

const ECHO = 'mcp.tool.name == "echo"';
const BACKEND = { resolve: () => undefined };
const STDIO = { command: 'node' };

test.each<[what: string, options: unknown, message: string]>([
  ['nothing', undefined, 'option "options" must be an object'],
  ['a request', { headers: {}, url: '/' }, 'app.use(mcpAuthorization) was written without the call'],
  ['no rules', {}, 'option "rules" must be a list of at least one rule, but got undefined.'],
  ['an empty list', { rules: [] }, 'option "rules" must be a list of at least one rule, but got [].'],
  ['one rule without a list', { rules: ECHO }, 'option "rules" must be a list of at least one rule'],
  [
    'a rule that is a function',
    { rules: [() => true] },
    'option "rules[0]" must be an expression, or an object with one of allow, deny and require, but got a function.',
  ],
  ['an empty expression', { rules: [''] }, 'option "rules[0]" must be a non-empty string, but got "".'],
  ['an empty object', { rules: [{}] }, 'or an object with one of allow, deny and require, but got {}.'],
  [
    'two kinds in one rule',
    { rules: [{ allow: ECHO, deny: ECHO }] },
    'or an object with one of allow, deny and require',
  ],
  [
    'a misspelt kind',
    { rules: [{ alow: ECHO }] },
    'option "rules[0].alow" must be a known option, but got "alow". Did you mean "allow"?',
  ],
  ['a foreign kind', { rules: [{ block: ECHO }] }, 'must be called "deny", but got "block". Write "deny".'],
  ['scopes with deny', { rules: [{ deny: ECHO, scopes: ['a'] }] }, 'option "rules[0].scopes" must be left out'],
  [
    'no scopes',
    { rules: [{ allow: ECHO, scopes: [] }] },
    'option "rules[0].scopes" must be a non-empty array of scopes',
  ],
  [
    'a scope as text',
    { rules: [{ allow: ECHO, scopes: 'a' }] },
    'option "rules[0].scopes" must be an array of non-empty strings',
  ],
  [
    'an expression that does not parse',
    { rules: [ECHO, { deny: 'mcp.tool.name ==' }] },
    'option "rules[1].deny" must be a CEL expression, but got "mcp.tool.name ==". Column 17: Unexpected token: EOF.',
  ],
  [
    'an expression of several lines',
    { rules: ['true &&\n  mcp.tool.nmae == "x"'] },
    'Line 2, column 12: mcp.tool.nmae is not a variable; write mcp.tool.name.',
  ],
  [
    'a target without a backend',
    { rules: [{ deny: 'mcp.tool.target == "a"' }] },
    'option "rules[0].deny" must be an expression without mcp.tool.target, since there is no backend',
  ],
  [
    'has() of a target without a backend',
    { rules: ['has(mcp.tool.target)'] },
    'without mcp.tool.target, since there is no backend',
  ],
  ...(['mcp.tool.target == "note"', '"note" != mcp.tool.target', 'mcp.prompt.target in ["mail", "note"]'] as const).map(
    (rule): [string, unknown, string] => [
      `a target that does not exist in ${rule}`,
      { rules: [{ deny: rule }], backend: mcpBackend({ targets: { notes: STDIO, mail: STDIO } }) },
      `Column ${rule.indexOf('"note"') + 1}: "note" is not a target; write notes.`,
    ],
  ),
  [
    'a backend without targets',
    { rules: [ECHO], backend: () => undefined },
    'option "backend" must be a backend with several targets.',
  ],
  [
    'an unknown answer',
    { rules: [ECHO], onDenied: '403' },
    'option "onDenied" must be one of "unknown", "challenge", but got "403".',
  ],
  ['an unknown mode', { rules: [ECHO], mode: 'optional' }, 'option "mode" must be one of "strict", "permissive"'],
  ['hide as text', { rules: [ECHO], hide: 'yes' }, 'option "hide" must be true or false, but got "yes".'],
  ['no bytes', { rules: [ECHO], maxBodyBytes: 0 }, 'option "maxBodyBytes" must be a whole number of at least 1'],
  ['an option of mcpScopes()', { rules: [ECHO], onInsufficientScope: 'challenge' }, 'must be called "onDenied"'],
  ['a misspelt option', { rules: [ECHO], hid: true }, 'Did you mean "hide"?'],
])('%s is refused', (_what, options, message) => {
  expect(() => mcpAuthorization(options as McpAuthorizationOptions)).toThrow(message);
  expect(() => mcpAuthorization(options as McpAuthorizationOptions)).toThrow(/^mcpAuthorization\(\): option/);
});

test.each<[what: string, options: McpAuthorizationOptions]>([
  ['a rule about a target, with a backend', { rules: ['mcp.tool.target == "a"'], backend: BACKEND }],
  [
    'a rule about a target that exists',
    { rules: ['mcp.tool.target == "notes"'], backend: mcpBackend({ targets: { notes: STDIO } }) },
  ],
  ['options that are undefined', { rules: [ECHO], backend: undefined, onDenied: undefined, mode: undefined }],
  ['an object without a prototype', Object.assign(Object.create(null), { rules: [ECHO] })],
])('%s is accepted', (_what, options) => {
  expect(() => mcpAuthorization(options)).not.toThrow();
});
