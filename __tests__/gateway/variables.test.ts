import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { ConfigNode } from '../../src/gateway/config/config-node.js';
import type { RouteConfig } from '../../src/gateway/config/gateway-config.js';
import { ExpandedTexts } from '../../src/gateway/config/variables.js';
import { parseYaml } from '../../src/gateway/config/yaml-document.js';

const env = { NAME: 'value', EMPTY: '', PORT: '3017', SECRET: 'sesame-open' };

/** The linter takes a dollar before a brace for a mistake. */
const written = (text: string) => text.replaceAll('%{', '$'.concat('{'));

const expand = (text: string) => parseYaml(written(`a: '${text}'`), new ExpandedTexts(env)).value;

type Part = (route: RouteConfig | undefined) => unknown;
const ofLogin: Part = (route) => route?.mcpAuthentication?.policy;

describe('variables', () => {
  test.each([
    ['$NAME', 'value'],
    ['%{NAME}', 'value'],
    ['x-$NAME-y', 'x-value-y'],
    ['%{NAME}S', 'valueS'],
    ['$NAME.S', 'value.S'],
    ['%{OTHER:-default}', 'default'],
    ['%{OTHER:-}', ''],
    ['%{EMPTY:-default}', 'default'],
    ['%{NAME:-default}', 'value'],
    ['$EMPTY', ''],
    ['$$NAME', '$NAME'],
    ['$$', '$'],
    ['$$$NAME', '$value'],
  ])('%s is %j', (text, value) => {
    expect(expand(text)).toEqual({ a: value });
  });

  test.each(['$', '^/mcp$', '$1', 'US$ 5', '(a|b)$'])('%s stays, which is no variable', (text) => {
    expect(expand(text)).toEqual({ a: text });
  });

  test('are not replaced in keys and comments', () => {
    const text = written('# $UNSET and %{UNSET}\n$NAME: 1 # $UNSET\n');
    expect(parseYaml(text, new ExpandedTexts(env)).value).toEqual({ $NAME: 1 });
  });

  test('a value cannot add structure to the file, nor another variable', () => {
    const texts = new ExpandedTexts({ A: 'x\nb: 1 # $B', B: 'y' });
    expect(parseYaml('a: $A', texts).value).toEqual({ a: 'x\nb: 1 # $B' });
  });

  test.each([
    [
      'a: [x, $UNSET/bin]',
      'a[1] names $UNSET, but this environment variable is not set: set it, or write %{UNSET:-default}',
    ],
    ['a: %{1A}', 'a has %{1A}: write %{NAME} or %{NAME:-default}, or $$ for a dollar'],
    ['a: %{A:-$B}', 'a has %{A:-$B}: write %{NAME} or %{NAME:-default}, or $$ for a dollar'],
    ['a: "%{}"', 'a has %{}: write %{NAME} or %{NAME:-default}, or $$ for a dollar'],
  ])('%s is refused', (text, message) => {
    const read = () => parseYaml(written(text), new ExpandedTexts(env));
    expect(read).toThrow(expect.objectContaining({ name: 'StartupError', message: written(message) }));
  });

  const fileWith = (port: string) => `mcp: { port: ${port}, targets: [{ stdio: { cmd: x } }] }`;

  test.each([
    ['false', false],
    ['true', true],
    ['pins.json', '/etc/pins.json'],
  ])('may be true, false or a file where both are possible: %s', (PIN, pin) => {
    const targets = '[{ name: a, stdio: { cmd: x } }, { name: b, stdio: { cmd: x } }]';
    const text = `mcp: { port: 0, pin: $PIN, targets: ${targets} }`;
    const { binds } = parseConfigFile(text, '/etc', { texts: new ExpandedTexts({ PIN }) });
    expect(binds[0]?.listeners[0]?.routes[0]?.backend?.options).toMatchObject({ pin });
  });

  test.each<[string, string, Part, object]>([
    [
      'a number of mcpAuthentication',
      'mcpAuthentication: { issuer: $WORD, clockToleranceSeconds: $PORT }',
      ofLogin,
      { issuer: 'true', clockToleranceSeconds: 3017 },
    ],
    [
      'a switch of one of several issuers',
      'mcpAuthentication: { issuers: [{ issuer: $WORD, exclusiveAudience: $WORD }] }',
      ofLogin,
      { issuers: [{ issuer: 'true', exclusiveAudience: true }] },
    ],
    [
      'a switch of mcpAuthentication',
      'mcpAuthentication: { issuer: x, clientId: $PORT, stripAuthorization: $WORD }',
      ofLogin,
      { issuer: 'x', clientId: '3017', stripAuthorization: true },
    ],
    [
      'switches of mcpScopes',
      'mcpAuthentication: { issuer: x }, mcpScopes: { hide: $WORD, ping: $WORD, tools/call: { echo: [$WORD] } }',
      (route) => route?.mcpScopes,
      { options: { hide: true }, rules: { ping: true, 'tools/call': { echo: ['true'] } } },
    ],
    [
      'a switch of mcpAuthorization',
      'mcpAuthorization: { rules: ["true"], hide: $WORD }',
      (route) => route?.mcpAuthorization?.[0],
      { options: { rules: ['true'], hide: true } },
    ],
  ])('may be %s, and stay texts elsewhere', (_what, policy, part, expected) => {
    const texts = new ExpandedTexts({ PORT: '3017', WORD: 'true' });
    const { binds } = parseConfigFile(
      `mcp: { port: 0, targets: [{ stdio: { cmd: x } }], policies: { ${policy} } }`,
      '/',
      { texts },
    );
    expect(part(binds[0]?.listeners[0]?.routes[0])).toMatchObject(expected);
  });

  test('may be a number', () => {
    const { binds } = parseConfigFile(fileWith('$PORT'), '/', { texts: new ExpandedTexts(env) });
    expect(binds[0]?.port).toBe(3017);
  });

  test('their values are in no message', () => {
    const texts = new ExpandedTexts(env);
    const read = () => parseConfigFile(fileWith('$SECRET'), '/', { texts });
    expect(read).toThrow('mcp.port must be a port number (0 to 65535), but is another value, from a variable');
    expect(texts.conceal('got "sesame-open" and 3017')).toBe('got "$SECRET" and 3017');
  });

  test.each([
    ['with a line end that a message escapes', 'got open-sesame\\u000a'],
    ['with a line end that a message leaves out', 'got open-sesame'],
  ])('nor are values %s', (_what, message) => {
    const texts = new ExpandedTexts({ SECRET: 'open-sesame\n' });
    texts.expand(new ConfigNode(''), '$SECRET');
    expect(texts.conceal(message)).toBe('got $SECRET');
  });

  test('nor are values that messages quote with backslashes', () => {
    const texts = new ExpandedTexts({ SECRET: 'open"sesame\\' });
    const value = texts.expand(new ConfigNode(''), '$SECRET');
    expect(texts.conceal(`got ${JSON.stringify(value)}, ${value}`)).toBe('got "$SECRET", $SECRET');
  });
});
