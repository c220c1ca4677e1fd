import { spawnSync } from 'node:child_process';

/** Prometheus' own judgement; null where this machine does not have it, which is said in one line. */
export const hasPrometheus = ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).status === 0);

if (!hasPrometheus) {
  console.warn(
    'SKIPPED: what only Prometheus can judge, because it is not on this machine (apt-get install prometheus)',
  );
}

/** All that it said, where it objects; an empty text where it does not. */
export function promtool(args: readonly string[], cwd: URL): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}\n${stderr}`;
}

/** What it objects to on a page of metrics. */
export function promtoolOnPage(page: string): string {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
  return status === 0 && stdout + stderr === '' ? '' : `${stdout}\n${stderr}`;
}
