import { isRecord } from '../../http/json-object.js';
import type { MembersType, ValueType } from '../../options/value-type.js';
import type { ConfigNode } from './config-node.js';

/**
 * Returns the value with numbers, `true` and `false` where the type has them and the file has a variable, whose value is text. A value that
 * does not fit the type stays as it is: the options that it is for are checked later.
 */
export function typedValue(node: ConfigNode, type: ValueType): unknown {
  const { value } = node;
  const types = type.kind === 'either' ? type.types : [type];
  if (Array.isArray(value)) {
    const list = types.find((each) => each.kind === 'list');
    return list === undefined ? value : node.items().map((item) => typedValue(item, list.of));
  }
  if (isRecord(value)) return typedMembers(node, types);
  return types.some(isText) ? value : node.option();
}

/** A text stays a text, even if it looks like a number. */
function isText({ kind }: ValueType): boolean {
  return kind === 'text' || kind === 'words' || kind === 'any';
}

function typedMembers(node: ConfigNode, types: readonly ValueType[]): unknown {
  const typeOf = (key: string) => types.map((type) => typeOfMember(type, key)).find((type) => type !== undefined);
  const members = node.children().map(([key, member]) => {
    const type = typeOf(key);
    return [key, type === undefined ? member.value : typedValue(member, type)] as const;
  });
  return Object.fromEntries(members);
}

function typeOfMember(type: ValueType, key: string): ValueType | undefined {
  if (type.kind === 'record') return type.of;
  return type.kind === 'members' ? typeIn(type, key) : undefined;
}

function typeIn({ members, others }: MembersType, key: string): ValueType | undefined {
  if (Object.hasOwn(members, key)) return members[key]?.type;
  return others?.pattern.test(key) ? others.type : undefined;
}
