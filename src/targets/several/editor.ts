import { OPEN_LIST } from '../../messages/json-bytes.js';
import {
  applyEdits,
  type Edit,
  type JsonMember,
  type JsonMembers,
  memberOf,
  readElements,
  readMembers,
  textOf,
} from '../../messages/json-members.js';
import { type RpcMessage, readString } from '../../messages/json-rpc.js';
import { paramsOf } from './params.js';

/** Members of objects, and elements of arrays, that are read in one message. The answer of a real tool has some hundred. */
const MAX_ITEMS = 100_000;

/** Collects edits of one message. What is not edited stays byte for byte as it was. */
export class Editor {
  readonly #bytes: Buffer;
  readonly #edits: Edit[] = [];
  #left: number;

  constructor(bytes: Buffer, maxItems = MAX_ITEMS) {
    this.#bytes = bytes;
    this.#left = maxItems;
  }

  /** The items that may still be read. Negative if not everything was read, so that edits may be missing. */
  get left(): number {
    return this.#left;
  }

  /** The message with all edits. */
  get result(): Buffer {
    return applyEdits(this.#bytes, this.#edits);
  }

  /** The members of the object at a position. */
  membersAt(start: number): JsonMembers | undefined {
    const members = this.#left < 0 ? undefined : readMembers(this.#bytes, start, this.#left + 1);
    this.#left -= members?.list.length ?? 0;
    return this.#left < 0 ? undefined : members;
  }

  /** The members of the object in the member `name`. */
  within(parent: JsonMembers | undefined, name: string): JsonMembers | undefined {
    const member = memberOf(parent, name);
    return member && this.membersAt(member.start);
  }

  /** The objects in the member `name`: one, or those of an array. */
  objectsIn(parent: JsonMembers | undefined, name: string): readonly JsonMembers[] {
    const member = memberOf(parent, name);
    if (member === undefined) return [];
    const starts = this.#bytes[member.start] === OPEN_LIST ? this.#elementsAt(member.start) : [member];
    return starts.flatMap(({ start }) => this.membersAt(start) ?? []);
  }

  /** The string in the member `name`. */
  text(parent: JsonMembers | undefined, name: string): string | undefined {
    const member = memberOf(parent, name);
    return member && readString(textOf(this.#bytes, member));
  }

  /** The value of a member as it was written. */
  json(member: JsonMember | undefined): string | undefined {
    return member && textOf(this.#bytes, member);
  }

  /** Replaces a value with `text`, which is JSON. */
  replace(at: Pick<JsonMember, 'start' | 'end'> | undefined, text: string): void {
    if (at !== undefined) this.#edits.push({ start: at.start, end: at.end, text });
  }

  /** Replaces the string in every member `name` with what `change` makes of it: of two such members, some parsers read the last. */
  rename(parent: JsonMembers | undefined, name: string, change: (text: string) => string | undefined): void {
    for (const member of parent?.list ?? []) {
      const text = member.name === name ? readString(textOf(this.#bytes, member)) : undefined;
      const changed = text === undefined ? undefined : change(text);
      if (changed !== undefined && changed !== text) this.replace(member, JSON.stringify(changed));
    }
  }

  /** Removes every member `name` of an object. */
  remove(parent: JsonMembers | undefined, name: string): void {
    const list = parent?.list ?? [];
    for (const [index, { keyStart }] of list.entries()) {
      if (list[index]?.name !== name || list[index - 1]?.name === name) continue;
      const before = list[index - 1];
      const next = list.slice(index).find((member) => member.name !== name);
      // With the comma after it; that before it, if it is the last.
      const start = next === undefined ? (before?.end ?? keyStart) : keyStart;
      const end = next?.keyStart ?? list.at(-1)?.end ?? start;
      this.replace({ start, end }, '');
    }
  }

  #elementsAt(start: number): readonly { start: number }[] {
    const elements = this.#left < 0 ? [] : (readElements(this.#bytes, start, this.#left + 1) ?? []);
    this.#left -= elements.length;
    return this.#left < 0 ? [] : elements;
  }

  /** Sets the member `name` of `params`, which is added if the message has none. `text` is JSON. */
  setParam(message: RpcMessage, name: string, text: string): void {
    const params = paramsOf(message);
    const old = memberOf(params, name);
    if (old !== undefined) this.replace(old, text);
    else if (params === undefined) {
      const at = message.members.end - 1;
      this.replace({ start: at, end: at }, `,"params":{"${name}":${text}}`);
    } else {
      const at = params.start + 1;
      this.replace({ start: at, end: at }, `"${name}":${text}${params.list.length > 0 ? ',' : ''}`);
    }
  }
}

/** True if an object has two members of one name: parsers differ in which of them counts. */
export function hasDuplicates(members: JsonMembers | undefined): boolean {
  return members !== undefined && new Set(members.list.map(({ name }) => name)).size < members.list.length;
}
