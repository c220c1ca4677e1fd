import { renderProblems } from '../../config/render-problems.ts';
import { loadSettings } from '../load-settings.ts';

/** `slipstream check FILE`: every problem of a settings file at once. Returns the exit code. */
export function check(path: string): number {
  const settings = loadSettings(path, process.env);
  if (settings.kind === 'invalid') {
    process.stderr.write(`${renderProblems(settings.problems)}\n`);
    return 1;
  }
  if (settings.notices.length > 0) process.stderr.write(`${renderProblems(settings.notices)}\n`);
  const { tenants, upstreams, mode } = settings.config;
  process.stdout.write(`${path}: valid (${mode}, ${upstreams.length} upstreams, ${tenants.length} tenants)\n`);
  return 0;
}
