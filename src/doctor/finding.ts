import type { OutageCode, RefusalCode } from '../core/errors.js';

/**
 * `ok`: works for all clients. `warning`: fails for some clients, or the doctor cannot tell. `fault`: clients cannot log in or
 * get no answer, or one request is answered without a token although others need one.
 */
export type Status = 'ok' | 'warning' | 'fault';

/** The reader of a report has a program that calls this package, or a configuration file. */
export type Reader = 'code' | 'file';

/** The advice: the same for every reader, or one for each kind of reader. */
export type Fix = string | Readonly<Record<Reader, string>>;

interface FindingFor<F> {
  readonly step: string;
  readonly status: Status;
  readonly seen: string;
  /** The consequence for clients. */
  readonly affects?: string;
  /** The advice. */
  readonly fix?: F;
  /** The code of a refused token, a heading in docs/errors.md. */
  readonly code?: RefusalCode | OutageCode;
}

/** One finding of one step. */
export type Finding = FindingFor<Fix>;

/** A finding with the advice for one reader. */
export type ReportedFinding = FindingFor<string>;

/** Creates the findings of one step. */
export function reporterFor(step: string) {
  return {
    ok: (seen: string): Finding => ({ step, status: 'ok', seen }),
    warning: (seen: string, affects: string, fix: Fix): Finding => ({ step, status: 'warning', seen, affects, fix }),
    fault: (seen: string, affects: string, fix: Fix): Finding => ({ step, status: 'fault', seen, affects, fix }),
  };
}

/** Picks the advice for the reader, and hides the token, which a server may repeat in its answers. */
export function reportTo(reader: Reader, token: string | undefined) {
  const withoutToken = (text: string) => (token ? text.replaceAll(token, '<the token>') : text);
  return ({ fix, ...finding }: Finding): ReportedFinding => ({
    ...finding,
    seen: withoutToken(finding.seen),
    ...(fix !== undefined && { fix: typeof fix === 'string' ? fix : fix[reader] }),
  });
}
