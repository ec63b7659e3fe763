import { withTrace } from '../../messages/meta-edit.js';
import { CallSender } from '../../targets/call-sender.js';
import type { Connection } from '../../targets/connection.js';
import type { ObservedCall } from '../../telemetry/observed-call.js';
import type { Recipient } from './post-response.js';

/** Writes a request of a client to a connection, and notes in the record of the call which target gets it. */
export function writeCall(
  connection: Connection,
  bytes: Buffer,
  recipient: Recipient,
  call: ObservedCall | undefined,
): void {
  if (call === undefined) {
    connection.write(bytes, recipient);
    return;
  }
  // A connection to several targets does this itself, for each message to a target.
  const trace = connection.target && call.sendTo(connection.target.name)?.carrier;
  connection.write(trace ? withTrace(bytes, trace) : bytes, new CallSender(recipient, call, trace));
}
