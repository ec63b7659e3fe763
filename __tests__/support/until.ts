/** Resolves when `condition` is true. It polls, because some things have no event, such as the process table. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  // Tests move the date and `performance.now()`.
  const deadline = process.hrtime.bigint() + BigInt(ms) * 1_000_000n;
  while (!(await condition())) {
    if (process.hrtime.bigint() > deadline) throw new Error(`not within ${ms} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
