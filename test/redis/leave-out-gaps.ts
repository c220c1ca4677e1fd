import { basename } from 'node:path';
import { beforeEach } from 'vitest';

/**
 * The gateway's promises are one set of tests, run on every engine. What follows is left out on Redis: Redis lives by its
 * own clock, so that in a test that moves the gateway's by hours, what was written is still readable there.
 */
const GAPS: Readonly<Record<string, readonly string[]>> = {
  'prompt-cache-reasons': ['the same after its five minutes', 'the same after its hour'],
  'single-flight': ['that finds the prefix written and long dead'],
};

/** Set up in front of every test file of the gateway that runs on Redis. */
beforeEach(({ task, skip }) => {
  const gaps = GAPS[basename(task.file.filepath, '.test.ts')] ?? [];
  if (gaps.some((start) => task.name.startsWith(start))) skip("Redis's clock cannot be moved");
});
