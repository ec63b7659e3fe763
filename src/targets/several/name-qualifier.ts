import type { JsonMembers } from '../../messages/json-members.js';
import type { RpcMessage } from '../../messages/json-rpc.js';
import type { Directory } from './directory.js';
import type { Editor } from './editor.js';
import { type NameKind, splitQualified } from './qualified.js';

const RELATED_TASK_KEY = 'io.modelcontextprotocol/related-task';

/** Every message with a URI or an id to rename contains one of these strings. The last one is for names that are written with escapes. */
const MARKS = ['"uri"', 'esourceUri"', 'askId"', 'licitationId"', '\\u'].map((text) => Buffer.from(text));

/** Renames resources and tasks in a message of a target, so that their names tell clients which target they belong to. */
export class NameQualifier {
  readonly #editor: Editor;
  readonly #directory: Directory;
  readonly #target: string;

  constructor(editor: Editor, directory: Directory, target: string) {
    this.#editor = editor;
    this.#directory = directory;
    this.#target = target;
  }

  /** The message with all edits. Undefined if it has too many places with names: one that is not renamed may be that of another target. */
  get edited(): Buffer | undefined {
    return this.#editor.left < 0 ? undefined : this.#editor.result;
  }

  /** True if a message has nothing to rename. */
  static hasNothingToRename(bytes: Buffer): boolean {
    return !MARKS.some((mark) => bytes.includes(mark));
  }

  /** Renames resources and tasks in the response to a request. */
  response({ members }: RpcMessage): void {
    this.result(this.#editor.within(members, 'result'));
    this.#error(members);
  }

  /** Renames resources and tasks in a result. */
  result(result: JsonMembers | undefined): void {
    if (result === undefined) return;
    this.#contents(result);
    for (const message of this.#editor.objectsIn(result, 'messages')) this.#content(message);
    this.#rename(result, 'taskId', 'task');
    this.#rename(this.#editor.within(result, 'task'), 'taskId', 'task');
    for (const task of this.#editor.objectsIn(result, 'tasks')) this.#rename(task, 'taskId', 'task');
    this.#outcome(result);
  }

  /** Renames the resource or task that `params` of a request or notification names, and those in the result of a task that it is about. */
  params({ members }: RpcMessage): void {
    const params = this.#editor.within(members, 'params');
    this.#rename(params, 'uri', 'resource');
    this.#rename(params, 'taskId', 'task');
    this.#rename(params, 'elicitationId', 'task');
    this.#outcome(params);
    this.meta(params);
  }

  /** Renames the links in the `_meta` of an object: to the task it belongs to, and to the resource that shows it (MCP Apps). */
  meta(parent: JsonMembers | undefined): void {
    const meta = this.#editor.within(parent, '_meta');
    if (meta === undefined) return;
    this.#rename(this.#editor.within(meta, RELATED_TASK_KEY), 'taskId', 'task');
    this.#rename(this.#editor.within(meta, 'ui'), 'resourceUri', 'resource');
    this.#rename(meta, 'ui/resourceUri', 'resource');
  }

  /** The result or error of a finished task (`tasks/get` and `notifications/tasks` of 2026-07-28). */
  #outcome(task: JsonMembers | undefined): void {
    const result = this.#editor.within(task, 'result');
    if (result !== undefined) this.#contents(result);
    this.#error(task);
  }

  #error(parent: JsonMembers | undefined): void {
    const data = this.#editor.within(this.#editor.within(parent, 'error'), 'data');
    // The error that names URLs which the user must visit first (URLElicitationRequiredError).
    for (const elicitation of this.#editor.objectsIn(data, 'elicitations'))
      this.#rename(elicitation, 'elicitationId', 'task');
    this.#rename(data, 'uri', 'resource');
  }

  #contents(result: JsonMembers): void {
    this.#content(result);
    for (const contents of this.#editor.objectsIn(result, 'contents')) this.#resource(contents);
    this.meta(result);
  }

  #content(parent: JsonMembers): void {
    for (const block of this.#editor.objectsIn(parent, 'content')) {
      if (this.#editor.text(block, 'type') === 'resource_link') this.#resource(block);
      else if (this.#editor.text(block, 'type') === 'resource') {
        const resource = this.#editor.within(block, 'resource');
        if (resource !== undefined) this.#resource(resource);
      }
    }
  }

  #resource(resource: JsonMembers): void {
    this.#rename(resource, 'uri', 'resource');
    this.meta(resource);
  }

  #rename(parent: JsonMembers | undefined, member: string, kind: NameKind): void {
    this.#editor.rename(parent, member, (text) => this.#directory.toClient(kind, this.#target, text));
  }
}

/** Replaces the client's name of a task with the target's own id, in the `_meta` of a message for that target. */
export function restoreRelatedTask(editor: Editor, parent: JsonMembers | undefined, target: string): void {
  const related = editor.within(editor.within(parent, '_meta'), RELATED_TASK_KEY);
  editor.rename(related, 'taskId', (text) => {
    const found = splitQualified('task', text);
    // An id of another target stays as it is, so that this target does not know it.
    return found?.target === target ? found.name : undefined;
  });
}
