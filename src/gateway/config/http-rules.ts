import type { AuthorizationRuleOption } from '../../index.js';
import { AUTHORIZATION } from '../schema/login-keys.js';
import type { ConfigNode } from './config-node.js';

/** A block `authorization`: rules about HTTP requests. */
export interface HttpRulesConfig {
  /** Not checked here: the function that decides by them does that. */
  readonly rules: readonly AuthorizationRuleOption[];
  readonly at: string;
}

/** Reads blocks `authorization` whose rules count together: those of a listener, of a route, or of a backend. Undefined without any. */
export function readHttpRules(blocks: readonly ConfigNode[]): readonly HttpRulesConfig[] | undefined {
  if (blocks.length === 0) return undefined;
  return blocks.map((node) => {
    const { rules } = node.members(AUTHORIZATION);
    return { rules: rules.someItems().map(({ value }) => value as AuthorizationRuleOption), at: node.path };
  });
}
