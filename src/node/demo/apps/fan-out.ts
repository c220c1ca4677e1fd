import type { Desk, Question } from '../desk.ts';

const BURST = 20;
const BURSTS_PER_JOB = 3;
const INSTRUCTION_TOKENS = 6_000;
const PAUSE_BETWEEN_BURSTS_MS = 4_000;

/**
 * A job is one marked prefix and three bursts of twenty requests on it, all of a burst at once. As long as nobody holds
 * them back, the twenty of a first burst all pay for writing the same prefix (docs: prompt caching, concurrent requests).
 */
export async function fanOut(desk: Desk): Promise<void> {
  for (let job = 0; !desk.isStopping; job++) {
    const writer = desk.writer(job);
    const system: Question['system'] = [
      { type: 'text', text: writer.text(INSTRUCTION_TOKENS), cache_control: { type: 'ephemeral' } },
    ];
    for (let burst = 0; burst < BURSTS_PER_JOB && !desk.isStopping; burst++) {
      const items = Array.from({ length: BURST }, () => writer.text(writer.between(20, 120)));
      await Promise.all(
        items.map((content) =>
          desk.ask({ model: 'claude-haiku-5-5', max_tokens: 400, system, messages: [{ role: 'user', content }] }),
        ),
      );
      await desk.pause(PAUSE_BETWEEN_BURSTS_MS);
    }
  }
}
