import type { OutageCode, RefusalCode } from '../core/errors.js';

/**
 * `ok`: as clients want it. `warning`: some clients stumble, or the doctor cannot know. `fault`: clients cannot log in or get no
 * answer, or a request is answered without a token where the others need one.
 */
export type Status = 'ok' | 'warning' | 'fault';

/** The reader of the report, who has a program that calls our functions, or a configuration file. */
export type Reader = 'code' | 'file';

/** The advice: the same for every reader, or one for each kind of reader. */
export type Fix = string | Readonly<Record<Reader, string>>;

interface FindingFor<F> {
  readonly step: string;
  readonly status: Status;
  readonly seen: string;
  /** Which clients stumble, and how. */
  readonly affects?: string;
  /** What to change. */
  readonly fix?: F;
  /** Of a reason to refuse a token: its heading in docs/errors.md. */
  readonly code?: RefusalCode | OutageCode;
}

/** One finding of one step of the walk. */
export type Finding = FindingFor<Fix>;

/** The same, as its reader gets it. */
export type ReportedFinding = FindingFor<string>;

/** How a step reports: each of its findings under its name. */
export function reporterFor(step: string) {
  return {
    ok: (seen: string): Finding => ({ step, status: 'ok', seen }),
    warning: (seen: string, affects: string, fix: Fix): Finding => ({ step, status: 'warning', seen, affects, fix }),
    fault: (seen: string, affects: string, fix: Fix): Finding => ({ step, status: 'fault', seen, affects, fix }),
  };
}

/** Puts a finding into the words of its reader. A server may repeat the token that it was sent; a report never does. */
export function reportTo(reader: Reader, token: string | undefined) {
  const withoutToken = (text: string) => (token ? text.replaceAll(token, '<the token>') : text);
  return ({ fix, ...finding }: Finding): ReportedFinding => ({
    ...finding,
    seen: withoutToken(finding.seen),
    ...(fix !== undefined && { fix: typeof fix === 'string' ? fix : fix[reader] }),
  });
}
