import type { Reporter, TestModule } from 'vitest/node';

/** Counts the cases that ran, and fails a run of too few: a table that was emptied by mistake passes in silence. */
const FEWEST_CASES = 200;

export default class CaseCount implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const ran = modules.flatMap((module) => [...module.children.allTests()]).filter(hasRun).length;
    if (ran < FEWEST_CASES) process.exitCode = 1;
    process.on('exit', () => console.log(`${ran} fault cases ran (at least ${FEWEST_CASES} must)`));
  }
}

function hasRun(test: { result(): { readonly state: string } }): boolean {
  const { state } = test.result();
  return state === 'passed' || state === 'failed';
}
