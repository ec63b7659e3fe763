import type { ServerResponse } from 'node:http';
import { isAnswered } from './answered.js';

/**
 * Passes an error to the application's error handler. Never throws: it is called where nothing would catch the error, such as in a timer, and
 * the process would end. The handler writes its answer with the functions of the application, which may throw again: then the answer is cut
 * off. So is an answer that has begun, because its regular end would say that it is complete.
 */
export function failRequest(res: ServerResponse, next: (error: unknown) => void, error: Error): void {
  if (isAnswered(res) && !res.writableEnded) res.destroy();
  try {
    next(error);
  } catch {
    // The error handler failed, most likely for the same reason. No one else can answer.
    if (!res.writableEnded) res.destroy();
  }
}
