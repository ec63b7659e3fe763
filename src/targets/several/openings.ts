import type { BridgeErrorCode } from '../../messages/bridge-error.js';
import type { RpcMessage } from '../../messages/json-rpc.js';
import { SESSION_REVISIONS } from '../../messages/revision.js';
import type { Sender } from '../connection.js';
import { type Conversation, requestFor } from './conversation.js';
import type { Editor } from './editor.js';
import { joinInstructions, keptCapabilities, mergeCapabilities } from './merged-capabilities.js';
import type { NamedTarget } from './named-target.js';
import { paramsOf } from './params.js';
import type { Outcome } from './request-ids.js';
import type { SessionSettings } from './session-settings.js';
import { faultResponse, isResult } from './target-faults.js';
import type { Answers } from './target-group.js';
import { resultOf } from './target-results.js';

/** Slow targets are given up this long before the start timeout, at which the bridge would end the whole opening. */
const MARGIN_MS = 1_000;

/** Opens a conversation of a revision with sessions: first with all targets, later again with a target whose connection was lost. */
export class Openings {
  readonly #conversation: Conversation;
  readonly #settings: SessionSettings;
  readonly #fail: (reason: BridgeErrorCode) => void;

  /** @param fail Ends the connection, if it cannot be opened. */
  constructor(conversation: Conversation, settings: SessionSettings, fail: (reason: BridgeErrorCode) => void) {
    this.#conversation = conversation;
    this.#settings = settings;
    this.#fail = fail;
  }

  async initialize(message: RpcMessage, sender: Sender | undefined): Promise<void> {
    const { group, options } = this.#conversation;
    const ms = Math.max(options.startTimeoutMs / 2, options.startTimeoutMs - MARGIN_MS);
    const until = performance.now() + ms;
    const first = await this.#ask(group.all, message, sender, ms);
    if ([...first.values()].includes('cancelled')) return;
    const revision = [...versionsIn(first).values()].sort()[0];
    const answers = revision === undefined ? first : await this.#agree(first, revision, message, sender, until);
    const faults = [...answers].filter(
      ([target]) => versionsIn(answers).get(target) !== revision || revision === undefined,
    );
    if ([...answers.values()].includes('cancelled')) return;
    for (const [target, outcome] of faults) this.#log(target, outcome);
    const [fault] = faults;
    const isOpen = revision !== undefined && (fault === undefined || options.failureMode === 'failOpen');
    if (isOpen) this.#open(message, revision, answers, new Set(faults.map(([target]) => target)));
    else if (fault !== undefined) this.#refuse(message, ...fault);
  }

  /** Opens the conversation again with a target that has another connection now. */
  async reopen(target: NamedTarget, message: RpcMessage, revision: string): Promise<boolean> {
    const { startTimeoutMs } = this.#conversation.options;
    const answers = await this.#ask([target], message, undefined, startTimeoutMs, revision);
    if (versionsIn(answers).get(target) !== revision) {
      for (const outcome of answers.values()) this.#log(target, outcome);
      return false;
    }
    const wasMissing = target.isMissing;
    target.capabilities = capabilitiesIn(answers.get(target));
    // Before clients hear that something has changed, and ask the target for it.
    this.#settings.resume(target);
    const isRenamed = this.#conversation.directory.learnCapabilities(target.name, target.capabilities);
    if (wasMissing) this.#settings.announce(target, isRenamed);
    return true;
  }

  #open(message: RpcMessage, revision: string, answers: Answers, faulty: ReadonlySet<NamedTarget>): void {
    const { directory, emit, options } = this.#conversation;
    for (const [target, outcome] of answers) {
      target.reopen = () => this.reopen(target, message, revision);
      target.isMissing = faulty.has(target);
      if (target.isMissing) target.disconnect(typeof outcome === 'string' ? outcome : 'child_not_started');
      else {
        target.capabilities = capabilitiesIn(outcome);
        directory.learnCapabilities(target.name, target.capabilities);
      }
    }
    const results = new Map(
      [...answers].flatMap(([target, outcome]) => (faulty.has(target) ? [] : [[target.name, resultOf(outcome)]])),
    );
    const capabilities = mergeCapabilities([...results.values()].map((result) => result?.capabilities));
    const instructions = joinInstructions(new Map([...results].map(([name, result]) => [name, result?.instructions])));
    this.#settings.capabilities = keptCapabilities(capabilities);
    const { serverInfo } = options;
    const result = {
      protocolVersion: revision,
      capabilities,
      serverInfo,
      ...(instructions !== undefined && { instructions }),
    };
    emit(Buffer.from(`{"jsonrpc":"2.0","id":${message.id},"result":${JSON.stringify(result)}}`));
  }

  /** Opens the conversation again with targets that chose a higher revision, in the lowest one that any target chose. */
  async #agree(
    first: Answers,
    revision: string,
    message: RpcMessage,
    sender: Sender | undefined,
    until: number,
  ): Promise<Answers> {
    const higher = [...versionsIn(first)].flatMap(([target, version]) => (version === revision ? [] : [target]));
    if (higher.length === 0) return first;
    for (const target of higher) target.replace();
    const again = await this.#ask(higher, message, sender, Math.max(0, until - performance.now()), revision);
    return new Map([...first, ...again]);
  }

  async #ask(
    targets: readonly NamedTarget[],
    message: RpcMessage,
    sender: Sender | undefined,
    ms: number,
    revision?: string,
  ): Promise<Answers> {
    const edit = (editor: Editor): void => {
      const params = paramsOf(message);
      if (revision !== undefined) editor.rename(params, 'protocolVersion', () => revision);
      // A target could ask the client for the tasks of another target.
      editor.remove(editor.within(params, 'capabilities'), 'tasks');
    };
    const answers = await this.#conversation.group.askAll(targets, (target) => ({
      clientKey: message.key,
      clientToken: undefined,
      sender,
      ms,
      opens: true,
      bytesFor: (id) => requestFor(message, target.name, id, edit),
    }));
    return new Map([...answers].map(([target, outcome]) => [target, asStart(outcome)]));
  }

  #log(target: NamedTarget, outcome: Outcome): void {
    const { missing, options } = this.#conversation;
    if (outcome === 'start_timed_out') target.logLateStart(options.startTimeoutMs / 1_000);
    missing.log(target.name, 'initialize', isResult(outcome) ? 'unsupported_protocol_version' : outcome);
  }

  #refuse(message: RpcMessage, target: NamedTarget, outcome: Outcome): void {
    if (typeof outcome === 'string') this.#fail(outcome);
    else if (isResult(outcome)) this.#fail('unreadable_answer');
    else this.#conversation.emit(faultResponse(message.id ?? 'null', target.name, outcome));
  }
}

function capabilitiesIn(outcome: Outcome | undefined): Readonly<Record<string, unknown>> {
  return keptCapabilities(outcome === undefined ? undefined : resultOf(outcome)?.capabilities);
}

/** Reports `initialize` without an answer as a late start: `startTimeoutSeconds` limits it, and not `requestTimeoutSeconds`. */
function asStart(outcome: Outcome): Outcome {
  return outcome === 'request_timed_out' ? 'start_timed_out' : outcome;
}

/** The revisions that targets answered `initialize` with. One that MCP does not define is not an answer: it would become that of all targets. */
function versionsIn(answers: Answers): ReadonlyMap<NamedTarget, string> {
  const versions = new Map<NamedTarget, string>();
  for (const [target, outcome] of answers) {
    const version = resultOf(outcome)?.protocolVersion;
    if (typeof version === 'string' && SESSION_REVISIONS.has(version)) versions.set(target, version);
  }
  return versions;
}
