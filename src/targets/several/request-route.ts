import type { JsonMembers } from '../../messages/json-members.js';
import type { RpcMessage } from '../../messages/json-rpc.js';
import type { Directory } from './directory.js';
import { Editor } from './editor.js';
import { paramsOf } from './params.js';
import type { NameKind, TargetedName } from './qualified.js';

/** The target of a request of a client, and the edit that the request needs on its way there. */
export interface Route extends TargetedName {
  readonly kind: NameKind;
  edit(editor: Editor): void;
}

/** The place of the name in a request. */
interface Place {
  readonly kind: NameKind;
  /** The objects below `params` in which the name is. */
  readonly path: readonly string[];
  readonly member: string;
}

const PLACES: ReadonlyMap<string, Place> = new Map<string, Place>([
  ['tools/call', { kind: 'tool', path: [], member: 'name' }],
  ['prompts/get', { kind: 'prompt', path: [], member: 'name' }],
  ['resources/read', { kind: 'resource', path: [], member: 'uri' }],
  ['resources/subscribe', { kind: 'resource', path: [], member: 'uri' }],
  ['resources/unsubscribe', { kind: 'resource', path: [], member: 'uri' }],
  ['tasks/get', { kind: 'task', path: [], member: 'taskId' }],
  ['tasks/update', { kind: 'task', path: [], member: 'taskId' }],
  ['tasks/result', { kind: 'task', path: [], member: 'taskId' }],
  ['tasks/cancel', { kind: 'task', path: [], member: 'taskId' }],
]);
const PROMPT_REFERENCE: Place = { kind: 'prompt', path: ['ref'], member: 'name' };
const RESOURCE_REFERENCE: Place = { kind: 'resource', path: ['ref'], member: 'uri' };

/** The kind of name by which a request finds its target; undefined for a method without such a name. */
export function kindNamedBy(message: RpcMessage): NameKind | undefined {
  return placeOf(message)?.kind;
}

/** Finds the target of a request. Undefined if it names nothing that a target has. */
export function routeOf(message: RpcMessage, directory: Directory): Route | undefined {
  const place = placeOf(message);
  if (place === undefined) return undefined;
  const { kind, path, member } = place;
  const editor = new Editor(message.bytes);
  const within = (from: Editor): JsonMembers | undefined =>
    path.reduce((at: JsonMembers | undefined, name) => from.within(at, name), paramsOf(message));
  const text = editor.text(within(editor), member);
  const found = text === undefined ? undefined : directory.resolve(kind, text);
  return found && { ...found, kind, edit: (target) => target.rename(within(target), member, () => found.name) };
}

function placeOf(message: RpcMessage): Place | undefined {
  if (message.method !== 'completion/complete') return PLACES.get(message.method);
  const editor = new Editor(message.bytes);
  const type = editor.text(editor.within(paramsOf(message), 'ref'), 'type');
  return type === 'ref/prompt' ? PROMPT_REFERENCE : type === 'ref/resource' ? RESOURCE_REFERENCE : undefined;
}
