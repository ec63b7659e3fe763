/** @import { Entry } from './page-types.js' */

/** @typedef {{ label: string, tone: 'good' | 'quiet' | 'warning' | 'bad', meaning: string }} Outcome */

/** @type {Readonly<Record<string, Outcome>>} */
const CALL_OUTCOMES = {
  answered: { label: 'Answered', tone: 'good', meaning: 'The MCP server answered with a result.' },
  tool_error: { label: 'Tool error', tone: 'warning', meaning: 'The tool ran, and its result says that it failed.' },
  protocol_error: { label: 'Protocol error', tone: 'warning', meaning: 'The answer is a JSON-RPC error.' },
  denied: { label: 'Denied', tone: 'bad', meaning: 'A rule, a missing scope or a withdrawn token refused the call.' },
  limited: { label: 'Limited', tone: 'warning', meaning: 'A limit refused the call: the caller may try again later.' },
  cancelled: { label: 'Cancelled', tone: 'quiet', meaning: 'The client cancelled the call or left.' },
  timed_out: { label: 'Timed out', tone: 'bad', meaning: 'The MCP server did not answer in time.' },
  target_failed: {
    label: 'Target failed',
    tone: 'bad',
    meaning: 'The MCP server could not be reached, ended, or answered with something unusable.',
  },
};

/** @type {Readonly<Record<string, Outcome>>} */
const DECISION_OUTCOMES = {
  passed: { label: 'Login passed', tone: 'good', meaning: 'The token is good.' },
  anonymous: { label: 'Anonymous', tone: 'quiet', meaning: 'The request passed without a token.' },
  refused: { label: 'Login refused', tone: 'bad', meaning: 'The request was answered with 400, 401 or 403.' },
  would_refuse: {
    label: 'Would refuse',
    tone: 'warning',
    meaning: 'The request passed because the mode is permissive. Strict mode refuses it.',
  },
  failed: { label: 'Not checked', tone: 'bad', meaning: 'The token could not be checked. The client is not to blame.' },
};

/** @type {Outcome} */
const FIRST_REQUEST = {
  label: 'Asked to log in',
  tone: 'quiet',
  meaning: "The request had no token, like every client's first one. The answer says where to log in.",
};

const OUTCOMES = { call: CALL_OUTCOMES, decision: DECISION_OUTCOMES };

/**
 * @param {Pick<Entry, 'kind'> & { event: { outcome: string, code?: unknown } }} entry
 * @returns {Outcome}
 */
export function outcomeOf({ kind, event }) {
  if (kind === 'decision' && event.outcome === 'refused' && event.code === 'missing_token') return FIRST_REQUEST;
  return OUTCOMES[kind][event.outcome] ?? { label: event.outcome, tone: 'warning', meaning: '' };
}

/** @returns {{ kind: 'call' | 'decision', outcome: string, label: string }[]} */
export function allOutcomes() {
  const kinds = /** @type {const} */ (['call', 'decision']);
  return kinds.flatMap((kind) =>
    Object.entries(OUTCOMES[kind]).map(([outcome, { label }]) => ({ kind, outcome, label })),
  );
}
