import { median } from './median.mjs';

/** Calls of one contender for a while: how many a second, how long one takes, and how much CPU time its process needs for it. */
async function slice({ host, callers }, inFlight, ms) {
  const times = [];
  const cpu = host?.cpu() ?? Number.NaN;
  const start = performance.now();
  const end = start + ms;
  await Promise.all(
    callers.slice(0, inFlight).map(async (call) => {
      for (let then = performance.now(); then < end; ) {
        await call();
        const now = performance.now();
        times.push(now - then);
        then = now;
      }
    }),
  );
  const seconds = (performance.now() - start) / 1_000;
  const used = (host?.cpu() ?? Number.NaN) - cpu;
  return { perSecond: times.length / seconds, p50: median(times), cpu: used / times.length };
}

/** Lets the contenders take turns, so that other load on the machine affects all of them alike; the median of the turns counts. */
export async function race(contenders, inFlight, pace) {
  return medians(await takeTurns(contenders, inFlight, pace));
}

/** Returns the speeds of each contender in its turns, by its name. The first turn is for warming up, and may be longer. */
export async function takeTurns(contenders, inFlight, { turns, turnMs, warmUpMs = turnMs }) {
  const speeds = new Map(contenders.map(({ name }) => [name, []]));
  for (const each of contenders) await slice(each, inFlight, warmUpMs);
  for (let turn = 0; turn < turns; turn++) {
    for (const each of contenders) speeds.get(each.name)?.push(await slice(each, inFlight, turnMs));
  }
  return speeds;
}

/** Returns the median of each contender's speeds, by its name. */
export function medians(speeds) {
  const of = (all, key) => median(all.map((speed) => speed[key])) ?? Number.NaN;
  return new Map(
    [...speeds].map(([name, all]) => [
      name,
      { perSecond: of(all, 'perSecond'), p50: of(all, 'p50'), cpu: of(all, 'cpu') },
    ]),
  );
}

export function print(table) {
  const [head = [], ...body] = table;
  console.log(`\n| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|`);
  for (const row of body) console.log(`| ${row.join(' | ')} |`);
}
