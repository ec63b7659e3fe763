import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { findOption, readKeyTables } from '../../src/gateway/schema/key-descriptions.js';
import { isRecord } from '../../src/http/json-object.js';
import type { Member, ValueType } from '../../src/options/value-type.js';
import { ROOT } from './program.js';

/** The tables of docs/command.md that have keys of the file. */
export const KEY_TABLES = readKeyTables(readFileSync(`${ROOT}docs/command.md`, 'utf8'));

const optionTables = readKeyTables(readFileSync(`${ROOT}docs/options.md`, 'utf8'));

/** A type as docs/command.md writes it. */
export function typeInWords(type: ValueType): string {
  switch (type.kind) {
    case 'text':
      return type.word;
    case 'flag':
      return 'true or false';
    case 'constant':
      return `\`${type.value}\``;
    case 'words':
      return type.words.map((word) => `\`${word}\``).join(', ');
    case 'list': {
      const item = typeInWords(type.of);
      return /^(?:text|name|mapping)$/.test(item) ? `list of ${item}s` : 'list';
    }
    case 'record':
    case 'members':
      return 'mapping';
    case 'either':
      return [...new Set(type.types.map(typeInWords))].join(' or ');
    case 'any':
      return 'anything';
    default:
      return type.kind;
  }
}

/** A default as docs/command.md writes it. For an option whose default the code does not have as a value, that of docs/options.md. */
export function defaultInWords(member: Member, mapping: string, key: string): string {
  if (member.isRequired) return 'required';
  if (member.otherwise !== undefined) return member.otherwise;
  if (member.default !== undefined) return `\`${inYaml(member.default)}\``;
  return findOption(optionTables, mapping, key)?.default ?? '';
}

function inYaml(value: unknown): string {
  const text = stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
  return typeof value === 'string' ? value : text;
}

/** The keys of the file that a value of this type has, with those within it. */
export function keysIn(value: unknown, type: ValueType | undefined): readonly Member[] {
  switch (type?.kind) {
    case 'list':
      return Array.isArray(value) ? value.flatMap((item) => keysIn(item, type.of)) : [];
    case 'either':
      return type.types.flatMap((each) => keysIn(value, each));
    case 'record':
      return isRecord(value) ? Object.values(value).flatMap((item) => keysIn(item, type.of)) : [];
    case 'members':
      if (!isRecord(value)) return [];
      return Object.entries(value).flatMap(([name, inner]) => {
        const member = type.members[name];
        return member === undefined ? keysIn(inner, type.others?.type) : [member, ...keysIn(inner, member.type)];
      });
    default:
      return [];
  }
}
