import type { Clock } from '../../core/clock.ts';
import type { ProcessReport } from '../../console/process-report.ts';
import type { Interest, IsolateWord, PromptWord } from './console-remote.ts';

/**
 * What isolates have said of themselves, and how much more of it somebody wants to hear. An isolate that falls silent has
 * ended, or nothing runs in it: what it said of exchanges is forgotten soon, what its traffic taught about prompts is true
 * for as long as a cache can be warm.
 */
export interface ConsoleWords {
  hear(word: Pick<IsolateWord, 'isolate' | 'report' | 'prompts'>): void;
  /** Of those that are not silent, the newest first. */
  reports(): readonly ProcessReport[];
  prompts(): readonly PromptWord[];
  /** Somebody looks. */
  look(at: keyof Interest): void;
  readonly interest: Interest;
}

interface Heard {
  readonly report: ProcessReport;
  readonly prompts: PromptWord | null;
  readonly heardAtMs: number;
}

const SILENT_AFTER_MS = 30_000;
const FORGOTTEN_AFTER_MS = 3_600_000;
/** A word with prompts may have some 200 KB; an object has 128 MB. */
const MOST_ISOLATES = 100;
/** A page asks every few seconds. */
const LOOKS_FOR_MS = 60_000;

export function createConsoleWords(clock: Clock): ConsoleWords {
  const heard = new Map<string, Heard>();
  const lookedAtMs = new Map<keyof Interest, number>();
  const within = (ms: number): Heard[] => {
    return [...heard.values()].filter(({ heardAtMs }) => clock.nowMs() - heardAtMs <= ms).toReversed();
  };
  const isLookedAt = (at: keyof Interest): boolean => {
    return clock.nowMs() - (lookedAtMs.get(at) ?? -Infinity) <= LOOKS_FOR_MS;
  };
  return {
    hear({ isolate, report, prompts }) {
      const before = heard.get(isolate)?.prompts ?? null;
      heard.delete(isolate);
      heard.set(isolate, { report, prompts: prompts ?? before, heardAtMs: clock.nowMs() });
      const [oldest] = heard.keys();
      if (heard.size > MOST_ISOLATES && oldest !== undefined) heard.delete(oldest);
    },
    reports: () => within(SILENT_AFTER_MS).map(({ report }) => report),
    prompts: () => within(FORGOTTEN_AFTER_MS).flatMap(({ prompts }) => prompts ?? []),
    look: (at) => void lookedAtMs.set(at, clock.nowMs()),
    get interest() {
      return { inExchanges: isLookedAt('inExchanges'), inPrompts: isLookedAt('inPrompts') };
    },
  };
}
