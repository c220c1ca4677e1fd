import type { Clock } from '../../core/clock.ts';
import { finishedExchange, type FinishedExchange } from '../../console/finished-exchange.ts';
import { prefixForestOf } from '../../console/prefix-forest.ts';
import type { ProcessConsoleParts } from '../../console/process-console.ts';
import { processReport } from '../../console/process-report.ts';
import { volatileAdviceOf } from '../../console/volatile-advice.ts';
import type { ExchangeRecord } from '../../pipeline/exchange-record.ts';
import { hashAsId } from './console-prompts.ts';
import {
  CONSOLE_VERSION,
  NO_INTEREST,
  type Interest,
  type IsolateWord,
  type PromptWord,
  type RemoteConsoleHub,
} from './console-remote.ts';
import { createErrand } from '../errand.ts';

/**
 * Tells the console's hub what goes on in this isolate. No request waits for that: exchanges that are over are collected
 * for a second and told in one call, and what runs is told by the requests that run, each in its own context, because
 * nothing else in a Worker is sure to be alive. How often, the hub's last answer says: seldom while nobody looks. A word
 * that fails is sent once more; then what was in it is lost.
 */
export interface ConsoleReporter {
  record(record: ExchangeRecord): void;
  /** Tells of this exchange, and of all others, while it runs. */
  accompany(exchange: Promise<unknown>): void;
  /** Tells all there is to tell, now. It never fails. */
  report(what: 'exchanges' | 'prompts too'): Promise<void>;
}

type ReporterParts = Omit<ProcessConsoleParts, 'sha256Hex'>;

export interface ConsoleReporterOptions {
  readonly clock: Clock;
  /** Anew for each call: a stub belongs to the request that made it. */
  readonly hub: () => RemoteConsoleHub;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly newName: () => string;
  readonly parts: ReporterParts;
}

const COLLECT_MS = 1_000;
/** Some 2 KB each. */
const MOST_FINISHED = 500;
const EVERY_MS = 2_000;
/** While nobody looks: for so long an isolate whose requests all last long does not hear that somebody does. */
const SELDOM_MS = 5_000;
/** A forest may have some 150 KB. */
const PROMPTS_EVERY_MS = 5_000;

export function createConsoleReporter({
  clock,
  hub,
  waitUntil,
  newName,
  parts,
}: ConsoleReporterOptions): ConsoleReporter {
  let isolate: string | null = null; // a Worker has no random numbers before its first request
  let finished: FinishedExchange[] = [];
  let interest = NO_INTEREST;
  let toldAtMs = -Infinity;
  let toldPromptsAtMs = -Infinity;

  const newWord = (withPrompts: boolean): IsolateWord => {
    const word: IsolateWord = {
      version: CONSOLE_VERSION,
      isolate: (isolate ??= newName()),
      finished,
      report: processReport(parts),
      prompts: withPrompts ? promptWord(parts) : null,
    };
    finished = [];
    toldAtMs = clock.nowMs();
    if (withPrompts) toldPromptsAtMs = toldAtMs;
    return word;
  };
  const report: ConsoleReporter['report'] = async (what) => {
    const arePromptsDue = interest.inPrompts && clock.nowMs() - toldPromptsAtMs >= PROMPTS_EVERY_MS;
    const word = newWord(what === 'prompts too' || arePromptsDue);
    const tell = async (): Promise<Interest> => hub().tell(word);
    interest = await tell()
      .catch(tell)
      .catch(() => NO_INTEREST);
  };
  const collecting = createErrand({ clock, waitUntil, afterMs: COLLECT_MS, run: () => report('exchanges') });
  const everyMs = (): number => (interest.inExchanges ? EVERY_MS : SELDOM_MS);
  return {
    record(record) {
      finished.push(finishedExchange(record, clock.wallMs() - clock.nowMs()));
      if (finished.length < MOST_FINISHED) collecting.want();
      else waitUntil(collecting.run());
    },
    accompany: (exchange) =>
      againUntil(exchange, { clock, waitUntil, everyMs }, async () => {
        const isDue = clock.nowMs() - toldAtMs >= everyMs() / 2; // else another exchange has just told of all
        if (isDue) await report('exchanges');
      }),
    report,
  };
}

interface Rhythm extends Pick<ConsoleReporterOptions, 'clock' | 'waitUntil'> {
  /** From the end of one time to the next. */
  readonly everyMs: () => number;
}

function againUntil(end: Promise<unknown>, { clock, waitUntil, everyMs }: Rhythm, run: () => Promise<void>): void {
  let isOver = false;
  let cancel = (): void => {};
  const runAndGoOn = async (): Promise<void> => {
    await run();
    if (!isOver) waitAndRun();
  };
  const waitAndRun = (): void => {
    cancel = clock.after(everyMs(), () => waitUntil(runAndGoOn()));
  };
  const stop = (): void => {
    isOver = true;
    cancel();
  };
  waitAndRun();
  void end.then(stop, stop);
}

/** Of those that cost most. */
const MOST_ADVICE = 100;

function promptWord({ clock, memory }: ReporterParts): PromptWord {
  const [nowMs, wallMs] = [clock.nowMs(), clock.wallMs()];
  return {
    prefixes: prefixForestOf(memory, { nowMs, wallMs, idOf: hashAsId }),
    volatilePrefixes: volatileAdviceOf(memory.volatile.found(nowMs)).slice(0, MOST_ADVICE),
  };
}
