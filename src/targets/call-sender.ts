import type { AuthInfo } from '../core/auth-info.js';
import type { TraceCarrier } from '../telemetry/call-tracer.js';
import type { ObservedCall } from '../telemetry/observed-call.js';
import type { Sender } from './connection.js';

/** The sender of one call that is recorded. What is known of its HTTP request is read when it is needed. */
export class CallSender implements Sender {
  readonly call: ObservedCall | undefined;
  readonly trace: TraceCarrier | undefined;
  readonly #sender: Sender;

  constructor(sender: Sender, call: ObservedCall | undefined, trace?: TraceCarrier) {
    this.#sender = sender;
    this.call = call;
    this.trace = trace;
  }

  get auth(): AuthInfo | undefined {
    return this.#sender.auth;
  }

  get parameters(): readonly string[] {
    return this.#sender.parameters ?? [];
  }

  get requestId(): string | undefined {
    return this.#sender.requestId;
  }
}
