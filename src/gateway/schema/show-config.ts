import { parse, stringify } from 'yaml';
import { isRecord } from '../../http/json-object.js';
import type { Member, MembersType, ValueType } from '../../options/value-type.js';
import { WHOLE_FILE } from './mappings.js';
import { HIDDEN, isVariable, SHOWN_TEXTS, showText } from './shown-texts.js';
import { FILE_NAME, TIME } from './value-forms.js';

const MAX_ALIASES = 100;

/** One value of the file, with what the schema says about it. */
interface Place {
  readonly type: ValueType | undefined;
  /** The mapping and the key, such as `stdio.cmd`. */
  readonly name: string;
  /** True if its texts may be shown. */
  readonly isShown: boolean;
}

/**
 * Writes a configuration file as it was read, with variables in place of their values. Numbers, switches and fixed words are shown where the
 * schema has them, texts only under the keys of {@link SHOWN_TEXTS}. Comments are left out.
 */
export function showConfig(text: string): string {
  const value: unknown = parse(text, { maxAliasCount: MAX_ALIASES, logLevel: 'silent' });
  return stringify(show(value, { type: WHOLE_FILE, name: '', isShown: false }), {
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}

function show(value: unknown, place: Place): unknown {
  if (typeof value === 'string' && isVariable(value)) return value;
  const { type, name, isShown } = place;
  const within = (of: ValueType) => (item: unknown) => show(item, { ...place, type: of });
  switch (type?.kind) {
    case 'flag':
    case 'constant':
    case 'number':
    case 'words':
      return hasForm(value, type) ? value : HIDDEN;
    case 'text':
      if (typeof value !== 'string') return HIDDEN;
      return isShown || type === FILE_NAME || type === TIME ? showText(value, name) : HIDDEN;
    case 'list':
      return Array.isArray(value) ? value.map(within(type.of)) : HIDDEN;
    case 'record':
      return isRecord(value) ? mapMembers(value, (_key, member) => within(type.of)(member)) : HIDDEN;
    case 'members':
      return isRecord(value) ? mapMembers(value, (key, member) => show(member, placeOf(key, type))) : HIDDEN;
    case 'either':
      return show(value, { ...place, type: type.types.find((each) => hasForm(value, each)) });
    default:
      return HIDDEN;
  }
}

function placeOf(key: string, { name, members, others }: MembersType): Place {
  const member: Member | undefined = Object.hasOwn(members, key) ? members[key] : undefined;
  const isOther = member === undefined && others?.pattern.test(key) === true;
  const isShown = SHOWN_TEXTS.get(name)?.includes(isOther ? '*' : key) === true;
  return { type: isOther ? others.type : member?.type, name: `${name}.${key}`, isShown };
}

function mapMembers(value: Readonly<Record<string, unknown>>, map: (key: string, member: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, map(key, member)]));
}

/** True if a value has the form of this type, whatever is in it. */
function hasForm(value: unknown, type: ValueType): boolean {
  switch (type.kind) {
    case 'members':
      return isRecord(value) && Object.keys(value).every((key) => Object.hasOwn(type.members, key));
    case 'record':
      return isRecord(value);
    case 'list':
      return Array.isArray(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'constant':
      return value === type.value;
    case 'number':
      return typeof value === 'number';
    case 'words':
      return type.words.includes(value as string);
    case 'text':
      return typeof value === 'string';
    default:
      return false;
  }
}
