import { messagesOf } from '../support/mcp-answers.js';
import { call, type Headers, initialize, post, postStateless, statelessCall } from '../support/mcp-requests.js';

/** A call that takes longer has lost its answer. */
const MAX_ANSWER_MS = 30_000;

export interface Answer {
  /** 0 if there was no answer. */
  readonly status: number;
  /** The text of the tool's result; undefined for any other answer. */
  readonly text: string | undefined;
  /** The reason why there was no answer, or the answer. */
  readonly detail: string;
  readonly session: string | null;
}

/** Sends a request and reads its answer. Never rejects. */
async function ask(send: (signal: AbortSignal) => Promise<Response>): Promise<Answer> {
  try {
    const response = await send(AbortSignal.timeout(MAX_ANSWER_MS));
    const { status, headers } = response;
    const session = headers.get('mcp-session-id');
    if (status !== 200) return { status, text: undefined, detail: (await response.text()).slice(0, 200), session };
    const last = (await messagesOf(response)).at(-1) as { result?: { content?: [{ text: string }] } } | undefined;
    return {
      status,
      text: last?.result?.content?.[0].text,
      detail: JSON.stringify(last ?? null).slice(0, 200),
      session,
    };
  } catch (error) {
    const { message, cause } = error as Error;
    return {
      status: 0,
      text: undefined,
      detail: `${message} ${(cause as Error | undefined)?.message ?? ''}`,
      session: null,
    };
  }
}

export const openSession = (url: string, headers: Headers): Promise<Answer> =>
  ask((signal) => post(url, initialize(), headers, signal));

export const callTool = (url: string, headers: Headers, id: number, name: string, args: object): Promise<Answer> =>
  ask((signal) => post(url, call(id, name, args), headers, signal));

/** Calls in revision 2026-07-28. */
export const callStateless = (url: string, headers: Headers, id: number, name: string, args: object): Promise<Answer> =>
  ask((signal) => postStateless(url, statelessCall(id, name, args), headers, signal));
