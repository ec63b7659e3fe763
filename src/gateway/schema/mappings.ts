import { type Member, type MembersType, membersOf, type ValueType } from '../../options/value-type.js';
import { FILE } from './file-keys.js';

/** The whole file. */
export const WHOLE_FILE = membersOf('the file', FILE);

/** The mappings that a value of this type may be or have in it, without those within them. */
function mappingsIn(type: ValueType | undefined): readonly MembersType[] {
  switch (type?.kind) {
    case 'members':
      return [type];
    case 'list':
    case 'record':
      return mappingsIn(type.of);
    case 'either':
      return type.types.flatMap(mappingsIn);
    default:
      return [];
  }
}

/** The mapping and all within it, by their names. */
export function everyMapping(mapping: MembersType, found = new Map<string, MembersType>()): Map<string, MembersType> {
  const other = found.get(mapping.name);
  if (other?.members === mapping.members) return found;
  if (other !== undefined) throw new Error(`two mappings are called ${mapping.name}`);
  found.set(mapping.name, mapping);
  const others = mapping.others === undefined ? [] : [mapping.others];
  for (const { type } of [...Object.values(mapping.members), ...others]) {
    for (const inner of mappingsIn(type)) everyMapping(inner, found);
  }
  return found;
}

/** The key at a path such as `path.exact`. Undefined if a mapping does not have it. */
export function keyAt({ members }: MembersType, path: string): Member | undefined {
  const [first = '', ...rest] = path.split('.');
  const member = Object.hasOwn(members, first) ? members[first] : undefined;
  if (member?.type === undefined) return undefined;
  if (rest.length === 0) return member;
  for (const inner of mappingsIn(member.type)) {
    const found = keyAt(inner, rest.join('.'));
    if (found !== undefined) return found;
  }
  return undefined;
}
