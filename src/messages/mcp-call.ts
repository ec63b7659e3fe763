/** What a client asks for, as rules see it. */
export interface McpCall {
  /** For example `tools/call`. */
  readonly method: string;
  /** The tool's or prompt's name, or the resource's URI; undefined for a method that has neither. */
  readonly target: string | undefined;
  /** As sent. Where a list is filtered (`hide`), nothing but the target itself is known. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** The methods that name what they are about, where they name it, and what it is called in a sentence. */
const TARGETS = {
  'tools/call': { member: 'name', noun: 'tool' },
  'prompts/get': { member: 'name', noun: 'prompt' },
  'resources/read': { member: 'uri', noun: 'resource' },
  'resources/subscribe': { member: 'uri', noun: 'resource' },
  'resources/unsubscribe': { member: 'uri', noun: 'resource' },
} as const satisfies Record<string, { member: 'name' | 'uri'; noun: string }>;

/** A method whose rules may be told apart by target. */
export type TargetedMethod = keyof typeof TARGETS;

/** The member of `params` that names the target; undefined for a method without one. */
export function targetMember(method: string): 'name' | 'uri' | undefined {
  return isTargeted(method) ? TARGETS[method].member : undefined;
}

function isTargeted(method: string): method is TargetedMethod {
  return Object.hasOwn(TARGETS, method);
}

/** For a sentence: `the tool delete_file`. What a client sent is cut, and made printable. */
export function describeCall({ method, target }: McpCall): string {
  return isTargeted(method) && target !== undefined
    ? `the ${TARGETS[method].noun} ${printable(target)}`
    : `the method ${printable(method)}`;
}

const LONGEST_NAME = 100;

function printable(text: string): string {
  const ascii = text.replace(/[^\x20-\x7e]/g, '?');
  return ascii.length > LONGEST_NAME ? `${ascii.slice(0, LONGEST_NAME)}...` : ascii;
}
