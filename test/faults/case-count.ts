import { readdirSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Counts the fault cases of a run that has all their files, and fails a run of too few: a table that was emptied by mistake
 * passes in silence.
 */
const FEWEST_CASES = 200;
const FOLDER = '/test/faults/';

export default class CaseCount implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const faults = modules.filter(({ moduleId }) => moduleId.includes(FOLDER));
    const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.test.ts'));
    if (faults.length < files.length) return;
    const ran = faults.flatMap((module) => [...module.children.allTests()]).filter(hasRun).length;
    if (ran < FEWEST_CASES) process.exitCode = 1;
    process.on('exit', () => console.log(`${ran} fault cases ran (at least ${FEWEST_CASES} must)`));
  }
}

function hasRun(test: { result(): { readonly state: string } }): boolean {
  const { state } = test.result();
  return state === 'passed' || state === 'failed';
}
