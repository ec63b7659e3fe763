/** Reads the metrics at an address, as Prometheus does: the value of each series, by its name and labels as they are written. */
export async function scrape(origin: string, path = '/metrics'): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(origin + path)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** Returns the series of one metric, without its name. */
export function seriesOf(metrics: ReadonlyMap<string, number>, name: string): Readonly<Record<string, number>> {
  const ofName = [...metrics].filter(([series]) => series.startsWith(`${name}{`));
  return Object.fromEntries(ofName.map(([series, value]) => [series.slice(name.length), value]));
}
