import { BRIDGE_ERRORS, type BridgeErrorCode } from '../../messages/bridge-error.js';
import type { RpcMessage } from '../../messages/json-rpc.js';
import { errorResponse } from '../../messages/message-errors.js';
import type { Sender } from '../connection.js';
import { type Conversation, requestFor } from './conversation.js';
import { joinInstructions, mergeCapabilities } from './merged-capabilities.js';
import { mergeHints } from './merged-lists.js';
import type { NamedTarget } from './named-target.js';
import type { Outcome } from './request-ids.js';
import { faultResponse } from './target-faults.js';
import { errorOf, resultOf } from './target-results.js';

/** Less than the time that the bridge itself waits for an answer. */
const MAX_DISCOVER_MS = 10_000;
const SERVER_INFO_KEY = 'io.modelcontextprotocol/serverInfo';
const UNSUPPORTED_VERSION = BRIDGE_ERRORS.unsupported_protocol_version.code;

/** Answers `server/discover`, the first request of a client of a revision without sessions. */
export class Discovery {
  readonly #conversation: Conversation;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  /** `isProbe`: the bridge asks before the first request of a client, to learn whether revisions without sessions are served. */
  async answer(message: RpcMessage, sender: Sender | undefined, isProbe: boolean): Promise<void> {
    const { group, options, missing, emit } = this.#conversation;
    const answers = await group.askAll(group.all, (target) => ({
      clientKey: message.key,
      clientToken: undefined,
      sender,
      ms: Math.min(options.startTimeoutMs, MAX_DISCOVER_MS),
      bytesFor: (id) => requestFor(message, target.name, id),
    }));
    const faults = [...answers].filter(
      (entry): entry is [NamedTarget, BridgeErrorCode] => typeof entry[1] === 'string',
    );
    if (faults.some(([, reason]) => reason === 'cancelled')) return;
    for (const [target, reason] of faults) missing.log(target.name, 'server/discover', reason);
    const [fault] = faults;
    const goesOn = fault === undefined || (options.failureMode === 'failOpen' && faults.length < answers.size);
    if (goesOn) emit(this.#response(message.id ?? 'null', answers));
    // Servers of older revisions may say nothing at all. The bridge draws its conclusions from the silence.
    else if (!isProbe || fault[1] !== 'request_timed_out')
      emit(faultResponse(message.id ?? 'null', fault[0].name, fault[1]));
  }

  #response(id: string, answers: ReadonlyMap<NamedTarget, Outcome>): Buffer {
    const { directory, options } = this.#conversation;
    const given = [...answers].filter(([, outcome]) => typeof outcome !== 'string');
    const lists = given.map(([, outcome]) => versionsOf(outcome));
    // A target that does not know this method speaks revisions with sessions only, so the others must do so too.
    const older = given.find((_, index) => lists[index] === undefined);
    if (older !== undefined) return faultResponse(id, older[0].name, older[1]);
    const [first = [], ...others] = lists;
    const supported = first.filter((version) => others.every((list) => list?.includes(version)));
    const results = new Map(given.map(([target, outcome]) => [target.name, resultOf(outcome) ?? {}]));
    for (const [name, { capabilities }] of results) directory.learnCapabilities(name, capabilities);
    if (supported.length === 0) {
      const error = {
        code: UNSUPPORTED_VERSION,
        message: 'The targets have no protocol version in common',
        data: { supported },
      };
      return Buffer.from(errorResponse(id, error));
    }
    const instructions = joinInstructions(new Map([...results].map(([name, result]) => [name, result.instructions])));
    const result = {
      resultType: 'complete',
      supportedVersions: supported,
      capabilities: mergeCapabilities([...results.values()].map(({ capabilities }) => capabilities)),
      ...(instructions !== undefined && { instructions }),
      ...mergeHints([...results.values()], given.length === answers.size),
      _meta: { [SERVER_INFO_KEY]: options.serverInfo },
    };
    return Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`);
  }
}

/** The revisions that a target says it speaks; undefined if it does not know `server/discover`. */
function versionsOf(outcome: Outcome): readonly unknown[] | undefined {
  const data = errorOf(outcome)?.code === UNSUPPORTED_VERSION ? errorOf(outcome)?.data : undefined;
  const versions = resultOf(outcome)?.supportedVersions ?? (data as { supported?: unknown } | undefined)?.supported;
  return Array.isArray(versions) ? versions : undefined;
}
