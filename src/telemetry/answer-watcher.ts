import type { IncomingMessage, ServerResponse } from 'node:http';
import { getAuth } from '../core/auth-info.js';
import { signedSessionOf } from '../core/own-sessions.js';
import { sessionOwnerOf } from '../core/session-owner.js';
import { hasHungUp, onceClosed } from '../http/hang-up.js';
import { interceptWriting } from '../http/intercept.js';
import { writtenHeader } from '../http/written-header.js';
import { AnswerReader } from './answer-reader.js';
import type { ObservedCalls } from './observe-calls.js';
import { addOpenRequest } from './open-calls.js';
import { endOfRefusal } from './outcomes.js';

/** Ends the calls of a request according to the answer that an MCP server in this app writes, unless a backend ends them. */
export function watchAnswer(req: IncomingMessage, res: ServerResponse, calls: ObservedCalls): void {
  new AnswerWatcher(req, res, calls).install();
}

class AnswerWatcher {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #calls: ObservedCalls;
  #reader: AnswerReader | undefined;
  #isOver = false;
  /** True while a method of the response runs, which may call others. */
  #isWriting = false;

  constructor(req: IncomingMessage, res: ServerResponse, calls: ObservedCalls) {
    this.#req = req;
    this.#res = res;
    this.#calls = calls;
  }

  install(): void {
    const res = this.#res;
    const open = addOpenRequest(this.#req, this.#calls);
    interceptWriting(res, (method, args, call) => {
      if (this.#isOver || this.#isWriting || this.#calls.isReported) return call();
      // Before the call, in which a compression middleware changes the headers.
      this.#readHead(method === 'writeHead' ? args : []);
      if (method === 'writeHead') return call();
      const result = this.#pass(args, call);
      if (method === 'end') this.#end();
      return result;
    });
    onceClosed(res, () => {
      this.#isOver = true;
      open?.remove();
      if (!this.#calls.isReported) this.#calls.endAll(endOfRefusal('cancelled'));
    });
  }

  #pass(args: readonly unknown[], call: () => unknown): unknown {
    this.#isWriting = true;
    try {
      return call();
    } finally {
      this.#isWriting = false;
      // After the call, in which a middleware that replaces the answer ends the calls itself.
      this.#push(args);
    }
  }

  /** Reads the head of the final answer, once. */
  #readHead(args: readonly unknown[]): void {
    if (this.#reader !== undefined) return;
    const res = this.#res;
    const status = args.length > 0 ? Number(args[0]) : res.statusCode;
    if (status < 200) return;
    this.#calls.session ??= this.#sessionIn(writtenHeader(res, args, 'mcp-session-id'));
    const type = writtenHeader(res, args, 'content-type');
    const encoding = writtenHeader(res, args, 'content-encoding');
    this.#reader = new AnswerReader(this.#calls, { status, type, encoding });
  }

  #push([chunk, encoding]: readonly unknown[]): void {
    if (typeof chunk === 'string') this.#reader?.push(Buffer.from(chunk, encodingOf(encoding)));
    else if (chunk instanceof Uint8Array)
      this.#reader?.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }

  #end(): void {
    this.#isOver = true;
    if (!hasHungUp(this.#res)) this.#reader?.end();
    else this.#calls.endAll(endOfRefusal('cancelled'));
  }

  /** Returns the id as the client gets it: `mcpAuth()` may sign it. */
  #sessionIn(id: string): string | undefined {
    if (id === '') return undefined;
    const signed = signedSessionOf(this.#req);
    return signed === undefined ? id : signed.signer.sign(id, sessionOwnerOf(this.#req, getAuth(this.#req)));
  }
}

function encodingOf(encoding: unknown): BufferEncoding | undefined {
  return typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined;
}
