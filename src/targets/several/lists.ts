import { memberOf, textOf } from '../../messages/json-members.js';
import { methodNotFound, type RpcMessage, readMessage, readString } from '../../messages/json-rpc.js';
import type { Sender } from '../connection.js';
import { type Conversation, requestFor } from './conversation.js';
import { type Cursors, splitCursors } from './cursors.js';
import { createListingTargets, type ListingTargets } from './directory.js';
import { LISTS, type ListMethod, type ListPage, MAX_ENTRIES } from './list-pages.js';
import { listResponse, mergeHints, shownEntries } from './merged-lists.js';
import type { NamedTarget } from './named-target.js';
import { paramsOf } from './params.js';
import type { Outcome } from './request-ids.js';
import { faultResponse, invalidParams, isMethodNotFound } from './target-faults.js';

const LIST_MS = 10_000;
const MAX_PAGES = 50;
/** Bytes of the pages of one list that are read together. */
const MAX_WHOLE_BYTES = 16_777_216;
const NO_CURSORS: Cursors = { pages: new Map(), isPrivate: false };

/** The answer of one target to a request for a list: its pages, none if it has no such list, or the fault. */
interface TargetPages {
  readonly target: NamedTarget;
  readonly pages: readonly ListPage[];
  readonly fault?: Outcome;
}

/** True for a method whose lists are merged. */
export function isListMethod(method: string): method is ListMethod {
  return Object.hasOwn(LISTS, method);
}

const LIST_OF = { tool: 'tools/list', prompt: 'prompts/list' } as const;

/** Answers requests for lists with the entries of all targets. */
export class Lists {
  readonly #conversation: Conversation;
  /** The targets that have answered this client's requests for a whole list. */
  readonly #answered: ListingTargets;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
    // Each request of an anonymous caller may have a connection of its own, and is not to ask all targets again.
    this.#answered = conversation.isAnonymous ? conversation.directory.listedToAnonymous() : createListingTargets();
  }

  async answer(method: ListMethod, message: RpcMessage, sender: Sender | undefined): Promise<void> {
    const { emit } = this.#conversation;
    const { id = 'null' } = message;
    const cursors = this.#cursorsOf(message);
    if (cursors === undefined) emit(invalidParams(id, 'Invalid cursor'));
    else this.#merge(method, id, cursors, await this.#read(method, message, cursors, sender));
  }

  /**
   * True if each target has listed its names of this kind, or announces to this caller that it has none.
   *
   * @param isKnown False for a name that no target has listed. A target may have it for this user only, so its lists for others do not count.
   */
  isComplete(kind: 'tool' | 'prompt', isKnown: boolean): boolean {
    return this.#missing(kind, isKnown).length === 0;
  }

  /** Reads the names of the targets that have not listed them yet, as `isComplete()` says. Returns false if the client has cancelled. */
  async learn(
    kind: 'tool' | 'prompt',
    isKnown: boolean,
    message: RpcMessage,
    sender: Sender | undefined,
  ): Promise<boolean> {
    const method = LIST_OF[kind];
    const request = listRequest(method, message);
    if (request === undefined) return true;
    const targets = this.#missing(kind, isKnown);
    const listed = await Promise.all(targets.map((target) => this.#readWhole(method, target, request, sender)));
    return listed.every(({ fault }) => fault !== 'cancelled');
  }

  /** Compares all tools of a target with those that are remembered. Returns the reason if they cannot be listed. */
  async compare(target: NamedTarget, message: RpcMessage, sender: Sender | undefined): Promise<Outcome | undefined> {
    const request = listRequest('tools/list', message);
    if (request === undefined) return 'unreadable_answer';
    const { pages, fault } = await this.#readWhole('tools/list', target, request, sender);
    if (fault === undefined)
      this.#conversation.options.pins?.checkAll(
        target.name,
        pages.flatMap(({ entries }) => entries),
      );
    return fault;
  }

  #read(
    method: ListMethod,
    message: RpcMessage,
    { pages }: Cursors,
    sender: Sender | undefined,
  ): Promise<readonly TargetPages[]> {
    const targets = this.#listing(method).filter(({ name }) => pages.size === 0 || pages.has(name));
    const isWhole = this.#isReadWhole(method);
    return Promise.all(
      targets.map((target) =>
        isWhole
          ? this.#readWhole(method, target, message, sender)
          : this.#readPage(method, target, message, pages.get(target.name), sender),
      ),
    );
  }

  #merge(method: ListMethod, id: string, cursors: Cursors, listed: readonly TargetPages[]): void {
    const { directory, options, missing, emit } = this.#conversation;
    const pages = listed.flatMap((each) => each.pages);
    const faults = listed.filter(({ fault }) => fault !== undefined);
    if (faults.some(({ fault }) => fault === 'cancelled')) return;
    for (const { target, fault = 'target_failed' } of faults) {
      missing.log(target.name, method, fault);
      // If one target refuses its part of the cursor, the client has to begin the list again.
      const isRefusedCursor = cursors.pages.size > 0 && typeof fault !== 'string';
      if (options.failureMode === 'failOpen' && !isRefusedCursor && pages.length > 0) continue;
      emit(faultResponse(id, target.name, fault));
      return;
    }
    if (pages.length === 0) {
      emit(methodNotFound(id));
      return;
    }
    const entries = pages.map((page) => shownEntries(method, page, directory, options.pins));
    const each = pages.map((page) => page.hints);
    const hints = mergeHints(each, faults.length === 0, cursors.isPrivate);
    const response = listResponse(id, method, entries, hints, this.#isReadWhole(method) ? [] : pages);
    emit(response.bytes, response);
  }

  /** True if all pages must be known before the first is shown. */
  #isReadWhole(method: ListMethod): boolean {
    return this.#conversation.directory.needsLists && (method === 'tools/list' || method === 'prompts/list');
  }

  /** The targets that may have such a list. One that failed to open is not waited for: it is asked once it has opened. */
  #listing(method: ListMethod): readonly NamedTarget[] {
    const { capability } = LISTS[method];
    return this.#conversation.group.all.filter(
      ({ capabilities }) => capabilities === undefined || capability in capabilities,
    );
  }

  #missing(kind: 'tool' | 'prompt', isKnown: boolean): readonly NamedTarget[] {
    const { directory } = this.#conversation;
    const answered = this.#answered[kind];
    return this.#listing(LIST_OF[kind]).filter(
      ({ name }) => !(isKnown ? directory.hasListed(kind, name) : answered.has(name)),
    );
  }

  #cursorsOf(message: RpcMessage): Cursors | undefined {
    const member = memberOf(paramsOf(message), 'cursor');
    if (member === undefined) return NO_CURSORS;
    const cursor = readString(textOf(message.bytes, member));
    const names = new Set(this.#conversation.group.all.map(({ name }) => name));
    return cursor === undefined ? undefined : splitCursors(cursor, names);
  }

  async #readPage(
    method: ListMethod,
    target: NamedTarget,
    message: RpcMessage,
    cursor: string | undefined,
    sender: Sender | undefined,
  ): Promise<TargetPages> {
    const outcome = await this.#ask(target, message, cursor, sender);
    if (isMethodNotFound(outcome)) return { target, pages: [] };
    const page = typeof outcome === 'string' ? outcome : this.#conversation.pages.read(method, target.name, outcome);
    if (typeof page === 'object') return { target, pages: [page] };
    const isError = typeof outcome === 'object' && memberOf(outcome.members, 'error') !== undefined;
    return { target, pages: [], fault: isError ? outcome : page };
  }

  async #readWhole(
    method: ListMethod,
    target: NamedTarget,
    message: RpcMessage,
    sender: Sender | undefined,
  ): Promise<TargetPages> {
    const pages: ListPage[] = [];
    let cursor: string | undefined;
    do {
      const {
        pages: [page],
        fault,
      } = await this.#readPage(method, target, message, cursor, sender);
      if (fault !== undefined) return { target, pages: [], fault };
      if (page === undefined) break;
      pages.push(page);
      if (isTooLong(pages)) return { target, pages: [], fault: 'too_many_items' };
      cursor = page.nextCursor;
    } while (cursor !== undefined && pages.length < MAX_PAGES);
    const names = pages.flatMap(({ entries }) => entries.map(({ name }) => name));
    const { kind } = LISTS[method];
    if (kind === 'tool' || kind === 'prompt') {
      this.#conversation.directory.learnNames(kind, target.name, new Set(names));
      this.#answered[kind].add(target.name);
    }
    return { target, pages };
  }

  #ask(
    target: NamedTarget,
    message: RpcMessage,
    cursor: string | undefined,
    sender: Sender | undefined,
  ): Promise<Outcome> {
    if (target.isMissing) {
      target.retry();
      return Promise.resolve(target.lastReason);
    }
    const { group, options } = this.#conversation;
    const request = {
      clientKey: message.key,
      clientToken: undefined,
      sender,
      ms: LIST_MS,
      bytesFor: (id: string) =>
        requestFor(message, target.name, id, (editor) => {
          // The client's own cursor means nothing to a target.
          if (cursor === undefined) editor.remove(paramsOf(message), 'cursor');
          else editor.setParam(message, 'cursor', JSON.stringify(cursor));
        }),
    };
    if (target.isSilent && options.failureMode === 'failOpen') {
      group.askAgain(target, request);
      return Promise.resolve('request_timed_out');
    }
    return new Promise((settle) => void group.ask(target, { ...request, settle }));
  }
}

function isTooLong(pages: readonly ListPage[]): boolean {
  const entries = pages.reduce((sum, page) => sum + page.entries.length, 0);
  const bytes = pages.reduce((sum, { joined, nextCursor }) => sum + joined.length + (nextCursor?.length ?? 0), 0);
  return entries > MAX_ENTRIES || bytes > MAX_WHOLE_BYTES;
}

/** Builds the request for a list that must be known before a client's request is sent. */
function listRequest(method: ListMethod, message: RpcMessage): RpcMessage | undefined {
  const meta = memberOf(paramsOf(message), '_meta');
  const params = meta === undefined ? '' : `,"params":{"_meta":${textOf(message.bytes, meta)}}`;
  return readMessage(Buffer.from(`{"jsonrpc":"2.0","id":${message.id},"method":"${method}"${params}}`));
}
