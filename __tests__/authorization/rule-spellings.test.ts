import { expect, test } from 'vitest';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createRuledApp, type RuledApp } from '../support/ruled-app.js';

type Kind = 'allow' | 'deny' | 'require';
type Row = readonly [kind: Kind, expression: string, uri: string];

/** A rule about a resource. In the expression, `n` is the URI. */
function ruleOf(kind: Kind, expression: string) {
  const text = expression.replace(/\bn\b/g, 'mcp.resource.name');
  return { allow: { allow: text }, deny: { deny: text }, require: { require: text } }[kind];
}

/** Sends a request for a resource. Returns true if it passes. */
async function passes({ post, received }: RuledApp, uri: string): Promise<boolean> {
  await post({ jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri } });
  return received.length > 0;
}

test.each<Row>([
  ['allow', 'n == "file:///a%20b"', 'file:///a%20b'],
  ['allow', 'n == "file:///a b"', 'file:///a b'],
  ['allow', 'n == "https://h.example"', 'https://h.example'],
  ['allow', 'n == "memo://Ann"', 'memo://Ann'],
  ['require', 'n.startsWith("users://Ann/")', 'users://Ann/1'],
  ['require', 'n in ["repo://a%2Fb"]', 'repo://a%2Fb'],
  ['require', 'n.startsWith("postgres://db:5432/")', 'postgres://db:5432/users'],
  ['deny', '!n.startsWith("users://Ann/")', 'users://Ann/1'],
  ['deny', 'n != "file:///a%20b"', 'file:///a%20b'],
  ['deny', '!n.endsWith("?tenant=a#b")', 'db://x?tenant=a#b'],
  ['deny', 'n.startsWith("users://") && !n.startsWith("users://Ann/")', 'users://Ann/1'],
  ['deny', 'n.startsWith("db://") && !n.startsWith("db://h:5432/")', 'db://h:5432/users'],
  ['deny', 'n.startsWith("note:///") && !n.startsWith("note:///ann/")', 'note:///ann/1'],
  ['deny', '!n.startsWith("note:///")', 'note:///1'],
  ['allow', 'n.startsWith("note:///")', 'note:///1'],
  ['allow', 'n.contains("#")', 'docs://x#public'],
  ['allow', 'n.endsWith("#b")', 'db://ann@dev/a#b'],
  ['allow', 'n.startsWith("db://ann@")', 'db://ann@dev/users'],
  ['allow', 'n.startsWith("users://" + "ann@h.example" + "/")', 'users://ann@h.example/1'],
])('%s: %s lets %s pass, but no other spelling', async (kind, expression, uri) => {
  expect(await passes(createRuledApp({ rules: [ruleOf(kind, expression)] }), uri)).toBe(true);
});

test.each<Row>([
  ['allow', 'n.split("#")[1] == "public"', 'docs://x#public'],
  ['require', 'n.split("#")[1] == "public"', 'docs://x#public'],
  ['deny', 'n.split("#")[1] == "internal"', 'docs://x#public'],
  ['allow', 'n.substring(n.lastIndexOf("#")) == "#public"', 'docs://x#public'],
  ['allow', 'n.split(":")[2].startsWith("5432/")', 'postgres://db:5432/users'],
  ['require', 'int(n.split(":")[2].split("/")[0]) < 6000', 'postgres://db:5432/users'],
  ['deny', 'n.split("@")[1].startsWith("prod/")', 'db://ann@dev/users'],
  ['allow', 'n.split("//")[2] == "b"', 'docs://a//b'],
])('%s: %s lets %s pass, but fails on others', async (kind, expression, uri) => {
  expect(await passes(createRuledApp({ rules: [ruleOf(kind, expression)] }), uri)).toBe(true);
});

test.each<Row>([
  ['deny', 'n.startsWith("note:///") && !n.startsWith("note:///ann/")', 'note:/bob/1'],
  ['deny', 'n.startsWith("note:///")', 'note:/bob/1'],
  ['deny', 'n.startsWith("memo://")', 'memo:%2F%2Fsecret'],
  ['deny', 'n.startsWith("memo://")', 'memo%3A//secret'],
  ['deny', 'n.startsWith("file:")', 'file%3A///x'],
  ['deny', 'n.contains("/.")', 'docs://a%2F.env'],
  ['deny', 'n.contains("/.")', 'file:///home%2F.ssh/id'],
  ['deny', 'n.contains("?")', 'db://x%3Fadmin'],
  ['require', '!n.startsWith("memo://")', 'memo:%2F%2Fsecret'],
  ['allow', '!n.startsWith("note:///")', 'note:/bob/1'],
])('%s: %s denies the other form %s', async (kind, expression, uri) => {
  expect(await passes(createRuledApp({ rules: [ruleOf(kind, expression)] }), uri)).toBe(false);
});

test.each<Row>([
  ['allow', 'n.startsWith("memo://team-")', 'memo://team-@secret'],
  ['allow', 'n.startsWith("memo://team-")', 'memo://team-%40secret:1'],
  ['require', 'n.startsWith("memo://team-")', 'memo://team-a:b@secret'],
  ['deny', 'n.startsWith("memo://") && !n.startsWith("memo://team-")', 'memo://team-@secret'],
])('%s: %s is not left by the user name of %s', async (kind, expression, uri) => {
  expect(await passes(createRuledApp({ rules: [ruleOf(kind, expression)] }), uri)).toBe(false);
});

test('the log says why a rule denies another spelling', async () => {
  const rules = [ruleOf('deny', 'n.startsWith("docs://x") && n.split("#")[1] == "internal"')];
  const { logger, lines } = createRecordingLogger();
  expect(await passes(createRuledApp({ rules, logger }), 'docs://x#public')).toBe(false);
  expect(lines).toContainEqual(expect.stringContaining('rules[0].deny failed (index_out_of_bounds)'));
});
