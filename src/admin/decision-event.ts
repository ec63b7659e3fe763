import { OUTAGES, REFUSALS, type RefusalCode } from '../core/errors.js';
import type { AuthDecision } from '../index.js';
import { BRIDGE_ERRORS } from '../messages/bridge-error.js';
import type { ErrorHelp } from './error-help.js';

/** A decision as the page shows it. */
export interface DecisionEvent extends AuthDecision {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** One sentence. */
  readonly text: string;
  /** The documentation of its code. */
  readonly help?: ErrorHelp | undefined;
  /** The answer that strict mode would give, if the mode of the policy let the request pass. */
  readonly strict?: string | undefined;
}

/** Describes a decision of `mcpAuth()` in words. */
export function describeDecision(
  decision: AuthDecision,
  help: ReadonlyMap<string, ErrorHelp>,
): Omit<DecisionEvent, 'time'> {
  const { code } = decision;
  return {
    ...decision,
    text: textOf(decision),
    help: code === undefined ? undefined : help.get(code),
    strict: strictAnswerTo(decision),
  };
}

/** True for a refusal or an outage, which operators look for. */
export function isRefusal({ outcome }: AuthDecision): boolean {
  return outcome === 'refused' || outcome === 'would_refuse' || outcome === 'failed';
}

function textOf({ outcome, subject, clientId, code }: AuthDecision): string {
  const why = code === undefined ? '' : `: ${descriptionOf(code)}`;
  switch (outcome) {
    case 'passed':
      return `Accepted the token of ${subject ?? 'a caller without a subject'}${clientId ? ` with client ${clientId}` : ''}`;
    case 'anonymous':
      return 'Let an anonymous request pass';
    case 'would_refuse':
      return `Let the request pass, although something is wrong${why}`;
    case 'refused':
      return `Refused the request${why}`;
    default:
      return `Could not check the token${why}`;
  }
}

function strictAnswerTo({ mode, outcome, code }: AuthDecision): string | undefined {
  if (mode === 'strict') return undefined;
  if (outcome === 'anonymous') return refusalOf('missing_token');
  return outcome === 'would_refuse' && code !== undefined ? refusalOf(code) : undefined;
}

type Code = NonNullable<AuthDecision['code']>;

function refusalOf(code: Code): string {
  return `Strict mode would answer ${rowOf(code).status}: ${descriptionOf(code)}`;
}

function descriptionOf(code: Code): string {
  return rowOf(code).description;
}

function rowOf(code: Code): { readonly status: number; readonly description: string } {
  if (code === 'unknown_session') {
    const { status, message } = BRIDGE_ERRORS.unknown_session;
    return { status, description: message };
  }
  return code in REFUSALS ? REFUSALS[code as RefusalCode] : OUTAGES[code as keyof typeof OUTAGES];
}
