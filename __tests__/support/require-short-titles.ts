import { beforeEach } from 'vitest';

const MAX_TITLE_LENGTH = 119;

beforeEach(({ task }) => {
  const { length } = task.name;
  if (length > MAX_TITLE_LENGTH)
    throw new Error(`The title of this test has ${length} characters, and may have ${MAX_TITLE_LENGTH}. Shorten it.`);
});
