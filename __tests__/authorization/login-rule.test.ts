import { expect, test } from 'vitest';
import { readLoginRule } from '../../src/authorization/login-rule.js';
import { MissingMember } from '../../src/core/missing-member.js';
import { mcpAuthorization } from '../../src/index.js';
import { createChecks } from '../../src/options/checks.js';

const OPTION = 'provider.github.allow';
const ruleOf = (text: string) => readLoginRule(createChecks('mcpAuth()'), text, OPTION);

const profile = {
  id: 583_231,
  login: 'octocat',
  organizations: ['acme', 'other'],
  email_verified: true,
  huge: 2 ** 60,
  name: null,
};

test.each([
  ['profile.login == "octocat"', true],
  ['profile.login in ["hubot", "octocat"]', true],
  ['profile.id == 583231', true],
  ['"acme" in profile.organizations', true],
  ['profile.organizations.exists(name, name == "acme")', true],
  ['profile.email_verified', true],
  ['profile.login == "Octocat"', false],
  ['profile.hd == "x" || profile.login == "octocat"', true],
  ['has(profile.hd) && profile.hd == "x"', false],
  ['profile.name == "octocat"', false],
  ['true', true],
  ['false', false],
])('%s: %s', (text, isAllowed) => {
  expect(ruleOf(text)(profile)).toBe(isAllowed);
});

test.each([
  ['profile.hd == "acme.example"', 'hd'],
  ['!(profile.hd == "acme.example")', 'hd'],
  ['profile.constructor == "x"', 'constructor'],
  ['profile.id == 583231 && profile.loggin == "octocat"', 'loggin'],
  ['"acme" in profile.organisations', 'organisations'],
  ['profile[profile.login] == "x"', 'profile[profile.login]'],
])('%s: the profile lacks %s', (text, member) => {
  expect(() => ruleOf(text)(profile)).toThrow(new MissingMember(member));
});

test.each(['profile.huge == 1', 'profile.organizations[5] == "acme"', 'profile.login > 1'])(
  '%s fails, and says no value',
  (text) => {
    expect(() => ruleOf(text)(profile)).toThrow(/^the expression failed: \w+$/);
  },
);

test('a text in place of true or false fails, and is not quoted', () => {
  const message = 'the value of the expression is neither true nor false';
  expect(() => ruleOf('profile.login')(profile)).toThrow(new Error(message));
});

test.each([
  ['jwt.sub == "1"', 'Column 1: a login has no jwt; write profile.'],
  ['profile.login == "x" || mcp.tool.name == "y"', 'Column 25: a login has no mcp.tool.name; write profile.'],
  ['profile.login = "x"', 'Column'],
  ['login == "octocat"', 'Column'],
])('%s is refused', (text, message) => {
  expect(() => ruleOf(text)).toThrow(`mcpAuth(): option "${OPTION}" must be a CEL expression`);
  expect(() => ruleOf(text)).toThrow(message);
});

test('a rule about calls has no profile', () => {
  const message = 'Column 1: only a login has profile; write jwt.';
  expect(() => mcpAuthorization({ rules: ['profile.login == "octocat"'] })).toThrow(message);
});
