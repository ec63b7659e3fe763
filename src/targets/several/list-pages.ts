import { createHash } from 'node:crypto';
import type { BridgeErrorCode } from '../../messages/bridge-error.js';
import { memberOf, readElements, readMembers, textOf } from '../../messages/json-members.js';
import { type RpcMessage, readString } from '../../messages/json-rpc.js';
import { NAME_LISTS } from '../../messages/name-lists.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import { canonicalJson } from './canonical-json.js';
import type { Directory } from './directory.js';
import { Editor, hasDuplicates } from './editor.js';
import { NameQualifier } from './name-qualifier.js';
import type { NameKind } from './qualified.js';
import { moved } from './response-ids.js';
import { MAX_NAME_LENGTH, MAX_NAMES } from './target-names.js';

/** The lists that are merged: the member of the result that holds one, and the member of its entries that is renamed. */
export const LISTS = {
  'tools/list': { ...NAME_LISTS['tools/list'], capability: 'tools' },
  'prompts/list': { ...NAME_LISTS['prompts/list'], capability: 'prompts' },
  'resources/list': { ...NAME_LISTS['resources/list'], capability: 'resources' },
  'resources/templates/list': { ...NAME_LISTS['resources/templates/list'], capability: 'resources' },
  'tasks/list': { member: 'tasks', kind: 'task', name: 'taskId', capability: 'tasks' },
} as const satisfies Record<string, { member: string; kind: NameKind; name: string; capability: string }>;

export type ListMethod = keyof typeof LISTS;

/** One page of a target's list. */
export interface ListPage {
  readonly target: string;
  readonly entries: readonly ListEntry[];
  /** All entries as clients see them, joined by commas. */
  readonly joined: Buffer;
  readonly nextCursor: string | undefined;
  /** The cache hints that the list has in 2026-07-28. */
  readonly hints: CacheHints;
}

interface ListEntry {
  /** The name by which the target knows it. */
  readonly name: string;
  /** The hash of its definition; empty if definitions are not remembered. */
  readonly hash: string;
  /** The entry as clients see it. */
  readonly bytes: Buffer;
}

/** Members of a result of 2026-07-28. */
export interface CacheHints {
  readonly resultType?: unknown;
  readonly ttlMs?: unknown;
  readonly cacheScope?: unknown;
}

/** No number or word that is defined for a hint is longer. */
const MAX_HINT_BYTES = 32;
/** Larger responses are parsed again each time. */
const MAX_KEPT_BYTES = 1_048_576;
/** Entries of a list, on one page or on all pages that are read together. */
export const MAX_ENTRIES = MAX_NAMES;
/** Members of all entries of one page, and of their `_meta`. */
const MAX_MEMBERS = 500_000;

/** The last page that a target sent, with the line that carried it. */
interface KeptPage {
  /** The whole line, with an id of digits. */
  readonly response: RpcMessage;
  readonly result: Buffer;
  /** The target whose resources had no prefix when the page was parsed; empty for lists of other kinds. */
  readonly names: string;
  readonly page: ListPage;
}

/** Parses the pages of targets' lists. A page that is the same as the one before is not parsed again: lists seldom change. */
export class ListPages {
  readonly #directory: Directory;
  readonly #isHashed: boolean;
  readonly #kept = new Map<string, Map<ListMethod, KeptPage>>();

  /** @param isHashed True if the definitions of tools are remembered. */
  constructor(directory: Directory, isHashed: boolean) {
    this.#directory = directory;
    this.#isHashed = isHashed;
  }

  /** Returns the reason if the response has no such list, one that parsers could read differently, or one that is too long. */
  read(method: ListMethod, target: string, response: RpcMessage): ListPage | BridgeErrorCode {
    const at = memberOf(response.members, 'result');
    if (at === undefined) return 'unreadable_answer';
    const result = response.bytes.subarray(at.start, at.end);
    const kept = this.#kept.get(target)?.get(method);
    // The names of resources depend on it, and so do the links of tools to them.
    const names = `${this.#directory.onlyResourceTarget}`;
    if (kept?.names === names && kept.result.equals(result)) return kept.page;
    const page = this.#parse(method, target, result);
    if (typeof page === 'object' && response.bytes.length <= MAX_KEPT_BYTES)
      this.#keep(target, method, response, { names, page });
    return page;
  }

  /** Returns the message in `bytes` without reading it, if all of it but its id is as in a list that was read. */
  recognise(target: string, bytes: Buffer): RpcMessage | undefined {
    for (const { response } of this.#kept.get(target)?.values() ?? []) {
      const { idAt, members } = response;
      if (idAt === undefined || !bytes.subarray(0, idAt.start).equals(response.bytes.subarray(0, idAt.start))) continue;
      const id = digitsAt(bytes, idAt.start);
      const rest = bytes.subarray(idAt.start + id.length);
      if (id === '' || !rest.equals(response.bytes.subarray(idAt.end))) continue;
      return moved(response, bytes, id, members.list.indexOf(idAt));
    }
    return undefined;
  }

  #keep(
    target: string,
    method: ListMethod,
    { bytes, ...response }: RpcMessage,
    kept: Pick<KeptPage, 'names' | 'page'>,
  ): void {
    const at = memberOf(response.members, 'result');
    if (at === undefined || response.id === undefined || !/^[1-9]\d*$/.test(response.id)) return;
    // A copy, since the line may be a view of a larger chunk.
    const copy = Buffer.from(bytes);
    const pages = this.#kept.get(target) ?? new Map<ListMethod, KeptPage>();
    const result = copy.subarray(at.start, at.end);
    this.#kept.set(target, pages.set(method, { ...kept, result, response: { ...response, bytes: copy } }));
  }

  #parse(method: ListMethod, target: string, result: Buffer): ListPage | BridgeErrorCode {
    const { member, kind } = LISTS[method];
    const members = readMembers(result);
    const list = memberOf(members, member);
    const elements = list && readElements(result, list.start, MAX_ENTRIES + 1);
    if (elements !== undefined && elements.length > MAX_ENTRIES) return 'too_many_items';
    const hashes = this.#isHashed && kind === 'tool' ? hashesIn(result, member) : [];
    if (elements === undefined || hashes === undefined) return 'unreadable_answer';
    const entries: ListEntry[] = [];
    let left = MAX_MEMBERS;
    for (const [index, { start, end }] of elements.entries()) {
      const editor = new Editor(result.subarray(start, end), left);
      entries.push(...this.#entry(method, target, editor, hashes[index] ?? ''));
      left = editor.left;
      if (left < 0) return 'too_many_items';
    }
    const value = (name: string): unknown => {
      const found = memberOf(members, name);
      return found && found.end - found.start <= MAX_HINT_BYTES ? JSON.parse(textOf(result, found)) : undefined;
    };
    const next = memberOf(members, 'nextCursor');
    return {
      target,
      entries,
      joined: joinEntries(entries.map(({ bytes }) => bytes)),
      nextCursor: next && readString(textOf(result, next)),
      hints: { resultType: value('resultType'), ttlMs: value('ttlMs'), cacheScope: value('cacheScope') },
    };
  }

  /** An entry that has no name, or two, cannot be renamed, and is left out; and so is a tool or prompt with a name that is too long. */
  #entry(method: ListMethod, target: string, editor: Editor, hash: string): readonly ListEntry[] {
    const { kind, name: nameMember } = LISTS[method];
    const entry = editor.membersAt(0);
    const name = editor.text(entry, nameMember);
    if (entry === undefined || name === undefined || hasDuplicates(entry)) return [];
    if ((kind === 'tool' || kind === 'prompt') && name.length > MAX_NAME_LENGTH) return [];
    editor.rename(entry, nameMember, (text) => this.#directory.fullName(kind, target, text));
    if (kind === 'tool' || kind === 'resource') new NameQualifier(editor, this.#directory, target).meta(entry);
    return [{ name, hash, bytes: Buffer.from(editor.result) }];
  }
}

/** The digits at a position: one of our own ids, if the message is a response to us. */
function digitsAt(bytes: Buffer, start: number): string {
  // Longer than any number that is counted up to.
  return /^\d*/.exec(bytes.toString('latin1', start, start + 17))?.[0] ?? '';
}

/** Joins the entries of a list with commas, without the brackets. */
export function joinEntries(entries: readonly Buffer[]): Buffer {
  const comma = Buffer.from(',');
  return Buffer.concat(entries.flatMap((entry, index) => (index === 0 ? [entry] : [comma, entry])));
}

/** The hash of each tool's definition. Undefined if parsers could read one differently: two members of one name, or too many levels. */
function hashesIn(result: Buffer, member: string): readonly string[] | undefined {
  try {
    const tools = (parseStrictJson(result.toString('utf8')) as Record<string, unknown>)[member];
    if (!Array.isArray(tools)) return undefined;
    return tools.map((tool) => `sha256-${createHash('sha256').update(canonicalJson(tool)).digest('base64url')}`);
  } catch {
    return undefined;
  }
}
