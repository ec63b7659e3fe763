import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Registry } from 'prom-client';
import { DECISION_CHANNEL } from '../../core/channels.js';
import type { AuthDecision } from '../../policy/auth-decision.js';
import { addCounter } from './add-counter.js';

/**
 * Counts the decisions of the logins.
 *
 * @returns A function that ends it.
 */
export function countDecisions(registries: readonly Registry[]): () => void {
  const countDecision = addCounter(registries, {
    name: 'mcp_auth_decisions_total',
    help: 'Decisions on HTTP requests, with the code of docs/errors.md for those that were refused',
    labelNames: ['mode', 'outcome', 'code'],
  });
  const onDecision = (message: unknown): void => {
    const { mode, outcome, code = '' } = message as AuthDecision;
    countDecision(mode, outcome, code);
  };
  subscribe(DECISION_CHANNEL, onDecision);
  return () => void unsubscribe(DECISION_CHANNEL, onDecision);
}
