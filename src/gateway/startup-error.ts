import { ConfigError } from '../index.js';

/** What keeps the gateway from starting. `message` is one sentence, or two, for whoever runs it. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}

/** Names the place in the file of an option that a middleware refuses. */
export function atPlace<T>(place: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    if (error instanceof ConfigError) throw new StartupError(`${place}: ${error.message}`, { cause: error });
    throw error;
  }
}
