import { expect, test } from 'vitest';
import type { ScopeRules } from '../../src/index.js';
import { blockToRun } from '../support/code-blocks.js';
import { createScopedApp } from '../support/scoped-app.js';

const rules = new Function(`${blockToRun('docs/scopes.md', 'function')} return rules;`)() as ScopeRules;

test.each<[name: string, stage: string, scopes: readonly string[], status: number]>([
  ['deploy_app', 'test', [], 200],
  ['deploy_app', 'production', [], 403],
  ['deploy_app', 'production', ['deploy:production'], 200],
  ['DEPLOY_app', 'production', [], 403],
  ['echo', 'production', [], 200],
])(
  'the function of docs/scopes.md: %s with stage %s and the scopes %j is answered %i',
  async (name, stage, scopes, status) => {
    const { post } = createScopedApp(rules);
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: { stage } } };
    expect((await post(call, scopes)).status).toBe(status);
  },
);
