// The worker's end of the conversation with the runner: one question, one answer, over Node's IPC channel.
// A worker whose runner is gone ends itself, so that a killed bench leaves no process behind.

export type Reply<Answer> = { kind: 'answer'; answer: Answer } | { kind: 'failed'; message: string };

export type Answerer<Question, Answer> = (question: Question) => Promise<Answer>;

export function serveRunner<Question, Answer>(answer: Answerer<Question, Answer>): void {
  const send = (reply: Reply<Answer>): void => void process.send?.(reply);
  process.on('message', (question: Question) => {
    answer(question).then(
      (value) => send({ kind: 'answer', answer: value }),
      (error: unknown) => send({ kind: 'failed', message: String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => undefined);
}
