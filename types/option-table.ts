// Compiled by `npm run typecheck`, never run: a table has a row for each option, and no other.
import { createChecks } from '../src/options/checks.js';
import { flag, type OptionTable, optional, readOptions, wholeNumber } from '../src/options/option-table.js';

interface Example {
  readonly hide?: boolean | undefined;
  readonly maxEntries?: number | undefined;
  readonly name?: string | undefined;
}

const text = optional((checks, value, option) => checks.string(value, option, 'Give a name.'));
const table = {
  hide: flag(false),
  maxEntries: wholeNumber(10, 1),
  name: { read: text },
} satisfies OptionTable<Example>;

// The types of resolved options follow from the readers.
const resolved = readOptions(createChecks('example()'), table, {});
export const hide: boolean = resolved.hide;
export const maxEntries: number = resolved.maxEntries;
export const name: string | undefined = resolved.name;

export const refused = [
  // @ts-expect-error One row too few.
  { hide: flag(false), maxEntries: wholeNumber(10, 1) } satisfies OptionTable<Example>,
  // @ts-expect-error One row too many.
  { ...table, hidden: flag(false) } satisfies OptionTable<Example>,
  // @ts-expect-error A default that no user could give.
  { ...table, hide: wholeNumber(10, 1) } satisfies OptionTable<Example>,
];
// @ts-expect-error A name that may be left out.
export const given: string = resolved.name;
