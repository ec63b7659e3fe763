/** The requests for lists: the member of the result that holds the list, the member of its entries that is the name, and what they name. */
export const NAME_LISTS = {
  'tools/list': { member: 'tools', name: 'name', kind: 'tool' },
  'prompts/list': { member: 'prompts', name: 'name', kind: 'prompt' },
  'resources/list': { member: 'resources', name: 'uri', kind: 'resource' },
  'resources/templates/list': { member: 'resourceTemplates', name: 'uriTemplate', kind: 'resource' },
} as const;

export type NameListMethod = keyof typeof NAME_LISTS;

/** True for a request whose answer lists names. */
export function listsNames(method: string): method is NameListMethod {
  return Object.hasOwn(NAME_LISTS, method);
}
