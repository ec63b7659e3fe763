import { callback, type OptionTable, optional } from '../options/option-table.js';
import type { CallOptions } from './call-record.js';

const EXAMPLE = '({ name, params }) => ({ name, city: params.arguments?.city })';

/** The rows of {@link CallOptions}. */
export const CALL_ROWS = {
  onCall: {
    read: optional(callback<NonNullable<CallOptions['onCall']>>('Give a function, for example (call) => log(call).')),
  },
  recordContent: {
    read: optional(callback<NonNullable<CallOptions['recordContent']>>(`Give a function, for example ${EXAMPLE}.`)),
  },
} satisfies OptionTable<CallOptions>;
