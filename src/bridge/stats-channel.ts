import { channel } from 'node:diagnostics_channel';

/**
 * Creates the function that publishes a backend's numbers on a diagnostics channel if they have changed.
 *
 * @param name The name of the channel.
 */
export function createStatsChannel(name: string): (stats: object) => void {
  const numbers = channel(name);
  let published = '';
  return (stats) => {
    if (!numbers.hasSubscribers) return;
    const text = JSON.stringify(stats);
    if (text === published) return;
    published = text;
    numbers.publish(stats);
  };
}
