import type { DpopMode } from '../oauth/challenge.js';
import type { OptionChecks } from '../options/checks.js';
import {
  callback,
  flag,
  group,
  type OptionTable,
  optional,
  type ResolvedOptions,
  readOptions,
} from '../options/option-table.js';
import { membersOf } from '../options/value-type.js';
import type { DpopOptions, MtlsOptions, SenderConstraintOptions } from './auth-options.js';

const DPOP_FIX = 'Write {} to accept bound tokens and others, or { required: true } to refuse all others.';
const MTLS_FIX = 'Write { getCertificate: (req) => …, required: true }.';
const FIX = 'Write { dpop: {} }, { mtls: { getCertificate: (req) => … } }, or both.';

export const DPOP_TABLE = { required: flag(false, DPOP_FIX) } satisfies OptionTable<DpopOptions>;

export const MTLS_TABLE = {
  getCertificate: { read: callback<MtlsOptions['getCertificate']>(MTLS_FIX) },
  required: flag(false, MTLS_FIX),
} satisfies OptionTable<MtlsOptions>;

export const SENDER_CONSTRAINT_TABLE = {
  dpop: { type: membersOf('dpop', DPOP_TABLE), read: optional(group(DPOP_TABLE, DPOP_FIX)) },
  mtls: { read: optional(group(MTLS_TABLE, MTLS_FIX)) },
} satisfies OptionTable<SenderConstraintOptions>;

/** The resolved option `senderConstraint`. */
export interface ResolvedSenderConstraint {
  readonly dpop: DpopMode;
  /** Undefined: tokens bound to a certificate are refused. */
  readonly mtls: ResolvedOptions<typeof MTLS_TABLE> | undefined;
}

export function resolveSenderConstraint(
  checks: OptionChecks,
  value: unknown,
  option: string,
): ResolvedSenderConstraint {
  const { dpop, mtls } = readOptions(checks, SENDER_CONSTRAINT_TABLE, checks.record(value, option, FIX), option);
  if (dpop?.required && mtls?.required) {
    const expected = `false where ${option}.mtls.required is true`;
    checks.refuse(`${option}.dpop.required`, expected, true, 'A token is bound in one way only.');
  }
  return { dpop: dpop === undefined ? 'off' : dpop.required ? 'require' : 'accept', mtls };
}
