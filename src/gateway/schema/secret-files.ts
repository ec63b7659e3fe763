import { either, type Members, type ValueType } from '../../options/value-type.js';
import { SECRET } from './value-forms.js';

/** The members of a policy that are secrets, and those that have secrets within. */
export const SECRETS: readonly string[] = ['clientSecret', 'secret'];
export const WITH_SECRETS: readonly string[] = ['issuers', 'introspection', 'oauthProxy'];

/** Returns the members of a policy, where each secret may also be in a file. */
export function withSecretFiles(members: Members): Members {
  const rows = Object.entries(members).map(([name, member]) => {
    if (member.type === undefined) return [name, member];
    if (SECRETS.includes(name)) return [name, { ...member, type: inFiles(member.type) }];
    return [name, WITH_SECRETS.includes(name) ? { ...member, type: within(member.type) } : member];
  });
  return Object.fromEntries(rows);
}

function inFiles(type: ValueType): ValueType {
  if (type.kind === 'text') return SECRET;
  if (type.kind === 'list') return { ...type, of: inFiles(type.of) };
  return type.kind === 'either' ? either(...type.types.map(inFiles)) : type;
}

function within(type: ValueType): ValueType {
  if (type.kind === 'members') return { ...type, members: withSecretFiles(type.members) };
  return type.kind === 'either' ? either(...type.types.map(within)) : type;
}
