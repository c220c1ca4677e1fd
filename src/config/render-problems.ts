/** Problems as an operator reads them in a terminal: where, what, and below it how to mend it. */
import type { Problem } from './config.ts';

export const renderProblems = (problems: readonly Problem[]): string => problems.map(renderProblem).join('\n');

function renderProblem({ path, line, message, mend }: Problem): string {
  const place = [path, line === undefined ? '' : `(line ${line})`].filter((part) => part !== '').join(' ');
  return `${place === '' ? '' : `${place}: `}${message}\n    ${mend}`;
}
