import { basename } from 'node:path';
import { beforeEach } from 'vitest';
import { gapOf } from './gateway-gaps.ts';

/** Set up in front of every test file of the gateway that runs on workerd. */
beforeEach(({ task, skip }) => {
  const titles = [task.name];
  for (let suite = task.suite; suite?.name; suite = suite.suite) titles.unshift(suite.name);
  const gap = gapOf(basename(task.file.filepath, '.test.ts'), titles.join(' > '));
  if (gap) skip(gap.reason);
});
