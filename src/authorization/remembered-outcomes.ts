import type { CallVariables } from './expressions/call-variables.js';

/** The variables that stay the same for one caller and one tool, prompt or resource: claims, names, targets. */
const LASTING = /^(?:jwt|apiKey|mcp\.\w+\.(?:name|target))$/;

/** True for a rule whose outcome can be remembered: it reads claims, names and targets alone. */
export function readsLastingOnly(reads: ReadonlySet<string>): boolean {
  return [...reads].every((path) => LASTING.test(path));
}

/** The caller, and what the call names: its kind, target and name. */
interface Subject {
  readonly variables: Pick<CallVariables, 'jwt' | 'apiKey'>;
  readonly subject?: string;
}

/** Pairs of a caller and a subject. With more of them all are forgotten. */
const MAX_ENTRIES = 10_000;
const MAX_SUBJECT_LENGTH = 128;

/** In place of the claims of anonymous callers. */
const ANONYMOUS = {};

/** The outcomes of rules, by the number of the rule. */
export type Outcomes = (boolean | undefined)[];

/**
 * Creates the memory of the outcomes of rules: callers call the same tools again and again. The function returns the outcomes for a caller
 * and a subject, to which new outcomes are added; undefined if there is no subject, or one that is too long to be kept.
 */
export function createRememberedOutcomes(): (input: Subject) => Outcomes | undefined {
  let callers = new WeakMap<object, Map<string, Outcomes>>();
  let entries = 0;

  function add(caller: object, subject: string): Outcomes {
    if (entries === MAX_ENTRIES) {
      callers = new WeakMap();
      entries = 0;
    }
    entries += 1;
    const outcomes: Outcomes = [];
    callers.set(caller, (callers.get(caller) ?? new Map()).set(subject, outcomes));
    return outcomes;
  }

  return ({ variables: { jwt, apiKey }, subject }) => {
    if (subject === undefined || subject.length > MAX_SUBJECT_LENGTH) return undefined;
    const caller = jwt ?? apiKey ?? ANONYMOUS;
    return callers.get(caller)?.get(subject) ?? add(caller, subject);
  };
}
