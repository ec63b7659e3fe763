import { type JsonMembers, memberOf } from '../../messages/json-members.js';
import type { RpcMessage } from '../../messages/json-rpc.js';
import { numberInText } from '../../messages/number-in-text.js';
import { Editor } from './editor.js';
import type { NamedTarget } from './named-target.js';
import type { Outcome } from './request-ids.js';

/** The oldest task is forgotten for the next one: a target must not fill the memory with them. */
const MAX_TASKS = 1_000;
/** Characters of a task's id, or of a token. A task with a longer one has no progress after the response. */
const MAX_LENGTH = 1_024;
const OVER: ReadonlySet<string | undefined> = new Set(['completed', 'failed', 'cancelled']);

/** A request that a target has answered, as far as tasks are concerned. */
interface AnsweredRequest {
  readonly method: string;
  /** The name in the request, by which the target knows it. */
  readonly name: string;
  /** The client's progress token, as JSON. */
  readonly token: string | undefined;
}

interface TaskToken {
  readonly target: NamedTarget;
  readonly taskId: string;
  readonly token: string;
  /** When the target may forget the task, on the clock of `performance.now()`. */
  readonly until: number;
}

/** The progress tokens of tasks: they stay valid after the response that created the task, until the task is over (2025-11-25). */
export class TaskTokens {
  /** By the number that stands for the token at the target, oldest first. */
  readonly #tasks = new Map<string, TaskToken>();

  /** The client's token, as JSON, for a number in the progress of a task. */
  tokenFor(target: NamedTarget, key: string | undefined): string | undefined {
    const task = key === undefined ? undefined : this.#tasks.get(numberInText(key) ?? key);
    return task?.target === target && performance.now() < task.until ? task.token : undefined;
  }

  /** Learns from the response to a request: it may create a task, or say that one is over. */
  noteResponse(target: NamedTarget, { method, name, token }: AnsweredRequest, response: Outcome): void {
    if (typeof response === 'string') return;
    const isAsked = method === 'tasks/get' || method === 'tasks/cancel';
    if (!isAsked && method !== 'tasks/result' && token === undefined) return;
    const editor = new Editor(response.bytes);
    const result = editor.within(response.members, 'result');
    // The result of a task comes when it is over.
    if (method === 'tasks/result' || (isAsked && OVER.has(editor.text(result, 'status')))) this.#forget(target, name);
    else if (!isAsked && token !== undefined && response.key !== undefined)
      this.#add(numberInText(response.key) ?? response.key, target, token, editor, editor.within(result, 'task'));
  }

  /** Learns from a notification whose `params` say the status of a task. */
  noteStatus(target: NamedTarget, message: RpcMessage): void {
    const editor = new Editor(message.bytes);
    const params = editor.within(message.members, 'params');
    const taskId = editor.text(params, 'taskId');
    if (taskId !== undefined && OVER.has(editor.text(params, 'status'))) this.#forget(target, taskId);
  }

  /** Forgets the tasks of a target that is gone. */
  forgetAllOf(target: NamedTarget): void {
    for (const [key, task] of this.#tasks) if (task.target === target) this.#tasks.delete(key);
  }

  #add(key: string, target: NamedTarget, token: string, editor: Editor, task: JsonMembers | undefined): void {
    const taskId = editor.text(task, 'taskId');
    if (taskId === undefined || OVER.has(editor.text(task, 'status'))) return;
    if (taskId.length > MAX_LENGTH || token.length > MAX_LENGTH) return;
    this.#tasks.set(key, { target, taskId, token, until: performance.now() + lifetimeOf(editor, task) });
    const [oldest] = this.#tasks.keys();
    if (this.#tasks.size > MAX_TASKS && oldest !== undefined) this.#tasks.delete(oldest);
  }

  #forget(target: NamedTarget, taskId: string): void {
    for (const [key, task] of this.#tasks)
      if (task.target === target && task.taskId === taskId) this.#tasks.delete(key);
  }
}

/** Milliseconds. A task without a limit has the `ttl` null. */
function lifetimeOf(editor: Editor, task: JsonMembers | undefined): number {
  const ttl = editor.json(memberOf(task, 'ttl'));
  return ttl !== undefined && /^\d{1,15}$/.test(ttl) ? Number(ttl) : Number.POSITIVE_INFINITY;
}
