import { expect, test } from 'vitest';
import type { McpScopesOptions, ScopeRules } from '../../src/index.js';
import { createScopedApp } from '../support/scoped-app.js';

test.each<[string, unknown, unknown, string]>([
  ['no rules', {}, {}, 'option "rules" must be at least one rule, but got {}.'],
  ['rules that are none', 'tools/call', {}, 'option "rules" must be an object, but got "tools/call".'],
  ['a slip in a method', { 'tool/call': ['a'] }, {}, 'but got "tool/call". Did you mean "tools/call"?'],
  ['a star for methods', { '*': ['a'] }, {}, 'but got "*". A star stands in names, not in methods.'],
  ['no name under a method', { 'tools/call': {} }, {}, 'option "rules["tools/call"]" must be at least one rule'],
  ['an empty name', { 'tools/call': { '': ['a'] } }, {}, 'must be under a name, but got "". Write "*" for every name.'],
  [
    'an empty list',
    { 'tools/call': { t: [] } },
    {},
    'option "rules["tools/call"]["t"]" must be a non-empty array of scopes',
  ],
  ['a scope as text', { 'tools/call': { t: 'a' } }, {}, 'must be an array of non-empty strings, but got "a".'],
  ['several scopes in one text', { 'tools/call': ['a b'] }, {}, 'must be an array of scopes without blanks'],
  ['names for a method without', { 'tools/list': { t: ['a'] } }, {}, 'since its calls name no target'],
  [
    'an undefined rule',
    { 'tools/call': { t: undefined } },
    {},
    'must be an array of non-empty strings, but got undefined.',
  ],
  ['an unknown option', { ping: ['a'] }, { hid: true }, 'Did you mean "hide"?'],
  ['a mode that is none', { ping: ['a'] }, { onInsufficientScope: 'error' }, 'must be one of "challenge", "toolError"'],
  ['options that are a Map', { ping: ['a'] }, new Map([['hide', true]]), 'option "options" must be a plain object.'],
  ['names in a Map', { 'tools/call': new Map([['t', ['a']]]) }, {}, 'option "rules["tools/call"]" must be an array'],
  ['hide as text', { ping: ['a'] }, { hide: 'yes' }, 'option "hide" must be true or false, but got "yes".'],
  ['no bytes', { ping: ['a'] }, { maxBodyBytes: 0 }, 'option "maxBodyBytes" must be a whole number of at least 1'],
  ['implied scopes as text', { ping: ['a'] }, { implies: { a: 'b' } }, 'option "implies["a"]" must be an array'],
  [
    'a scope with a blank',
    { ping: ['a'] },
    { implies: { 'a b': ['c'] } },
    'option "implies["a b"]" must be an array of scopes',
  ],
])('%s is refused', (_what, rules, options, message) => {
  expect(() => createScopedApp(rules as ScopeRules, { options: options as McpScopesOptions })).toThrow(message);
});
