import type { RequestStory, TimelineStep } from '../../contract.ts';
import { OUTCOMES, STEPS, wordsFor } from '../words/exchange-words.ts';
import { formatDuration, formatExactMs } from '../words/times.ts';

/**
 * A request's time as bars on one scale, a line each, with the exact milliseconds beside. Every line can be read without
 * the bars. The mark is the first token.
 */
export function Timeline({ story }: { readonly story: RequestStory }) {
  const { timeline, durationMs, ttftMs } = story;
  const percent = (ms: number): string => `${durationMs > 0 ? Math.min(100, (ms / durationMs) * 100) : 0}%`;
  return (
    <section aria-labelledby="timeline">
      <h2 id="timeline">Timeline</h2>
      <ol class="timeline">
        {timeline.map((step, at) => (
          <li key={at} class={step.kind}>
            <span class="step">{nameOf(step, story)}</span>
            <span class="track" aria-hidden="true">
              <span class="span" style={{ left: percent(step.atMs), width: percent(step.durationMs) }} />
              {ttftMs !== null && <span class="first" style={{ left: percent(ttftMs) }} />}
            </span>
            <span class="exact">
              {formatExactMs(step.durationMs)} <span class="soft">at {formatExactMs(step.atMs)}</span>
            </span>
          </li>
        ))}
      </ol>
      <p class="scale" aria-hidden="true">
        <span class="ticks">
          <span>0</span>
          <span>{formatDuration(durationMs / 2)}</span>
          <span>{formatDuration(durationMs)}</span>
        </span>
      </p>
      {ttftMs !== null && <p class="soft">The line marks the first token, at {formatExactMs(ttftMs)}.</p>}
    </section>
  );
}

function nameOf({ kind, call }: TimelineStep, { calls }: RequestStory): string {
  const made = call === null ? undefined : calls[call];
  if (!made || call === null) return STEPS[kind];
  return `call ${call + 1} to ${made.upstream}: ${wordsFor(OUTCOMES, made.outcome)}`;
}
