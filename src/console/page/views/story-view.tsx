import type { RequestStory } from '../../contract.ts';
import { useLive } from '../data/session.ts';
import { usePolled, type Polled } from '../data/use-polled.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Problem } from '../parts/notices.tsx';
import { PHASES } from '../words/exchange-words.ts';
import { storySentences } from '../words/story-sentences.ts';
import { CacheChapter } from './cache-chapter.tsx';
import { CallsChapter } from './calls-chapter.tsx';
import { Timeline } from './timeline.tsx';
import { TokensChapter } from './tokens-chapter.tsx';

/** One request's own story: what happened to it, when, why its cache did what it did, and what it cost. */
export interface StoryViewProps {
  readonly id: string;
  /** The list as it was filtered. */
  readonly listHref: string;
}

export function StoryView({ id, listHref }: StoryViewProps) {
  const open = useLive().snapshot?.live.find((one) => one.id === id);
  const isOpen = open !== undefined;
  const polled = usePolled<RequestStory>(`requests/${encodeURIComponent(id)}`, null, isOpen); // told when it is over
  return (
    <>
      <p>
        <a href={listHref}>← Requests</a>
      </p>
      <h1 class="story-name">
        Request <code>{id}</code>
      </h1>
      <p class="toolbar">
        <CopyButton text={id} label="Copy id" />
        <CopyButton text={location.href} label="Copy link" />
      </p>
      <Told polled={polled} phase={open ? PHASES[open.phase] : null} />
    </>
  );
}

function Told({ polled, phase }: { readonly polled: Polled<RequestStory>; readonly phase: string | null }) {
  if (polled.kind === 'ok') return <Story story={polled.value} />;
  if (phase !== null) return <p>It is on its way: {phase}. Its story is told here when it is over.</p>;
  if (polled.kind === 'loading') return <p class="empty">Asking the gateway …</p>;
  return <Problem>{polled.because}</Problem>;
}

function Story({ story }: { readonly story: RequestStory }) {
  return (
    <>
      <p class="lead">{storySentences(story).join(' ')}</p>
      <Timeline story={story} />
      <div class="chapters">
        {story.cacheStory && <CacheChapter cache={story.cacheStory} />}
        <TokensChapter story={story} />
      </div>
      <CallsChapter calls={story.calls} />
    </>
  );
}
