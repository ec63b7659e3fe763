/** The longest time of a timer, in milliseconds. With a longer one, `setTimeout()` fires after one millisecond. */
export const MAX_TIMER_MS = 2_147_483_647;

/** The same in whole seconds: almost 25 days. */
export const MAX_TIMER_SECONDS = 2_147_483;
