// The runner's end of a worker (mock or load): a child process that answers questions one at a time.

import { fileURLToPath } from 'node:url';

import { lastLines, startChild } from './child.ts';
import type { Child } from './child.ts';
import type { Reply } from './worker-side.ts';

export interface Worker<Question, Answer> {
  ask(question: Question): Promise<Answer>;
  stop(): Promise<void>;
}

export function startWorker<Question extends object, Answer>(
  file: URL,
  core: string | undefined,
): Worker<Question, Answer> {
  const path = fileURLToPath(file);
  const label = path.slice(path.lastIndexOf('/') + 1).replace(/\.ts$/, '');
  const child = startChild({ label, command: process.execPath, args: [path], core, ipc: true });
  return { ask: (question) => ask<Answer>(child, question), stop: () => child.stop() };
}

function ask<Answer>(child: Child, question: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error(`${child.label} ended while it was asked:\n${lastLines(child)}`));
    child.process.once('exit', onExit);
    child.process.once('message', (reply: Reply<Answer>) => {
      child.process.off('exit', onExit);
      if (reply.kind === 'answer') resolve(reply.answer);
      else reject(new Error(`${child.label}: ${reply.message}`));
    });
    child.process.send(question);
  });
}
