import { channel } from 'node:diagnostics_channel';

/**
 * Creates a function that publishes the numbers of a backend on a diagnostics channel if they have changed.
 *
 * @param name The name of the channel.
 * @param stats Called only if the channel has subscribers.
 */
export function createStatsChannel(name: string, stats: () => object): () => void {
  const numbers = channel(name);
  let published = '';
  return () => {
    if (!numbers.hasSubscribers) return;
    const current = stats();
    const text = JSON.stringify(current);
    if (text === published) return;
    published = text;
    numbers.publish(current);
  };
}
