import type { Desk } from '../desk.ts';
import type { Writer } from '../words.ts';

/** Five times the tenant's two slots, each asking again as soon as it has its answer: the queue is never empty. */
const WORKERS = 10;

export async function greedy(desk: Desk): Promise<void> {
  const system = desk.writer(0).text(800);
  await Promise.all(Array.from({ length: WORKERS }, (_, worker) => hurry(desk, desk.writer(worker + 1), system)));
}

async function hurry(desk: Desk, writer: Writer, system: string): Promise<void> {
  while (!desk.isStopping) {
    const content = writer.text(writer.between(30, 200));
    await desk.ask({ model: 'claude-opus-4-8', max_tokens: 400, system, messages: [{ role: 'user', content }] });
  }
}
