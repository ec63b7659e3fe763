import { isRecord } from '../../http/json-object.js';
import { type Members, memberOf, readElements, readMembers, textOf } from '../../messages/json-members.js';
import { membersAt, type RpcMessage, readString } from '../../messages/json-rpc.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import { ClientEdits } from './client-edits.js';
import type { Directory } from './directory.js';
import { Editor } from './editor.js';
import type { ToolPins } from './pins.js';
import type { NameKind } from './qualified.js';

/** The lists that are merged: the member of the result that holds one, and the member of its entries that is renamed. */
export const LISTS = {
  'tools/list': { member: 'tools', kind: 'tool', name: 'name', capability: 'tools' },
  'prompts/list': { member: 'prompts', kind: 'prompt', name: 'name', capability: 'prompts' },
  'resources/list': { member: 'resources', kind: 'resource', name: 'uri', capability: 'resources' },
  'resources/templates/list': {
    member: 'resourceTemplates',
    kind: 'resource',
    name: 'uriTemplate',
    capability: 'resources',
  },
  'tasks/list': { member: 'tasks', kind: 'task', name: 'taskId', capability: 'tasks' },
} as const satisfies Record<string, { member: string; kind: NameKind; name: string; capability: string }>;

export type ListMethod = keyof typeof LISTS;

/** One page of a target's list. */
export interface ListPage {
  readonly target: string;
  readonly entries: readonly ListEntry[];
  readonly nextCursor: string | undefined;
  readonly result: Readonly<Record<string, unknown>>;
}

interface ListEntry {
  readonly name: string;
  readonly definition: unknown;
  readonly bytes: Buffer;
}

/** Reads a page. Undefined if it is not a list, or if parsers could read it differently: one with two names, for example. */
export function readPage(method: ListMethod, target: string, response: RpcMessage): ListPage | undefined {
  const { member, name: nameMember } = LISTS[method];
  const result = membersAt(response, 'result');
  const list = memberOf(result, member);
  const elements = list && readElements(response.bytes, list.start);
  const parsed = parse(response.bytes);
  const definitions = parsed?.[member];
  if (parsed === undefined || elements === undefined || !Array.isArray(definitions)) return undefined;
  const entries = elements.flatMap(({ start, end }, index): ListEntry[] => {
    const definition: unknown = definitions[index];
    const name = isRecord(definition) ? definition[nameMember] : undefined;
    // An entry without a name cannot be used, and cannot be renamed.
    return typeof name === 'string' ? [{ name, definition, bytes: response.bytes.subarray(start, end) }] : [];
  });
  const next = memberOf(result, 'nextCursor');
  const nextCursor = next && readString(textOf(response.bytes, next));
  return { target, entries, nextCursor, result: parsed };
}

function parse(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const message = parseStrictJson(bytes.toString('utf8'));
    const result = isRecord(message) ? message.result : undefined;
    return isRecord(result) ? result : undefined;
  } catch {
    // Two members of one name, or too many levels.
    return undefined;
  }
}

/** Returns the entries of a page as clients see them, without those that they may not. */
export function shownEntries(
  method: ListMethod,
  { target, entries }: ListPage,
  directory: Directory,
  pins: ToolPins | undefined,
): readonly Buffer[] {
  const { kind } = LISTS[method];
  const shown = kind === 'tool' ? pins?.check(target, entries) : undefined;
  return entries.flatMap(({ bytes, name }, index) => {
    const isShown = shown?.[index] !== false && directory.toClient(kind, target, name) !== undefined;
    return isShown ? [rename(method, bytes, target, directory)] : [];
  });
}

function rename(method: ListMethod, bytes: Buffer, target: string, directory: Directory): Buffer {
  const { kind, name } = LISTS[method];
  const entry = readMembers(bytes) as Members;
  const editor = new Editor(bytes);
  editor.rename(entry, name, (text) => directory.toClient(kind, target, text));
  if (kind === 'tool' || kind === 'resource') new ClientEdits(editor, directory, target).meta(entry);
  return editor.result;
}

/** Builds the response of which the entries of all targets are one list. */
export function listResponse(
  id: string,
  method: ListMethod,
  pages: readonly ListPage[],
  entries: readonly Buffer[],
  nextCursor: string | undefined,
): Buffer {
  const more = { ...cacheHints(pages), ...(nextCursor !== undefined && { nextCursor }) };
  const rest = JSON.stringify(more).slice(1);
  const pieces = entries.flatMap((entry, index) => (index === 0 ? [entry] : [Buffer.from(','), entry]));
  const head = `{"jsonrpc":"2.0","id":${id},"result":{"${LISTS[method].member}":[`;
  return Buffer.concat([Buffer.from(head), ...pieces, Buffer.from(`]${rest === '}' ? '' : ','}${rest}}`)]);
}

/** What 2026-07-28 says of every list: the shortest time, and private if one target says so. Empty in revisions before. */
export function cacheHints(pages: readonly Pick<ListPage, 'result'>[]): Readonly<Record<string, unknown>> {
  if (!pages.some(({ result }) => result.resultType !== undefined || result.ttlMs !== undefined)) return {};
  const times = pages.map(({ result: { ttlMs } }) => (typeof ttlMs === 'number' ? ttlMs : 0));
  const isPublic = pages.every(({ result }) => result.cacheScope === 'public');
  return { resultType: 'complete', ttlMs: Math.min(...times), cacheScope: isPublic ? 'public' : 'private' };
}
