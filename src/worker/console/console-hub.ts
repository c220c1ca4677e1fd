import { DurableObject } from 'cloudflare:workers';
import { createConsoleBoard } from '../../console/console-board.ts';
import type { History, PrefixForest, RequestRow, RequestStory, SavingsReport, Snapshot, VolatileAdvice } from '../../console/contract.ts'; // prettier-ignore
import { keyedIds } from '../../console/prefix-forest.ts';
import type { RequestQuery } from '../../console/request-query.ts';
import { savingsCsv } from '../../console/savings-csv.ts';
import { snapshotOf } from '../../console/snapshot.ts';
import { periodStartMs } from '../../core/tenant.ts';
import { spentIn } from '../../state/ledger.ts';
import { mergeAdvice, mergePrefixes } from './console-prompts.ts';
import { CONSOLE_VERSION, NO_INTEREST, type Interest, type IsolateWord } from './console-remote.ts';
import { withStandings } from './console-standings.ts';
import { createConsoleStorage } from './console-storage.ts';
import { createConsoleWords } from './console-words.ts';
import { metricsHubsOf, remotesOf, type WorkerEnvironment } from '../environment.ts';
import { createFoldAlarm } from '../fold-alarm.ts';
import { hubNames } from '../metrics/metrics-shards.ts';
import { readStanding, type Standing } from '../metrics/metrics-standings.ts';
import { sha256Hex } from '../sha256.ts';
import { workerClock } from '../worker-clock.ts';

/**
 * The console of all isolates: the board that a process has, fed by all of them, and what each has last said of itself.
 * What tenants and upstreams hold is asked of their objects while somebody looks, once a second at the most. What is on the
 * board is stored a moment after it has changed (fold-alarm.ts).
 */
const STANDING_FRESH_MS = 1_000;
/** As many as are shown, those that asked for slots last; each costs a call. */
const MOST_TENANTS = 200;

export class ConsoleHub extends DurableObject<WorkerEnvironment> {
  readonly #storage = createConsoleStorage(this.ctx.storage.kv, workerClock.wallMs());
  readonly #board = createConsoleBoard(workerClock.wallMs(), this.#storage.kept);
  readonly #words = createConsoleWords(workerClock);
  readonly #idOf = keyedIds(crypto.randomUUID(), sha256Hex);
  readonly #alarm = createFoldAlarm(this.ctx.storage);
  #standing: { readonly readAtMs: number; readonly read: Promise<Standing> } | null = null;

  async tell({ version, finished, ...word }: IsolateWord): Promise<Interest> {
    if (version !== CONSOLE_VERSION) return NO_INTEREST;
    for (const one of finished.filter(({ story }) => !this.#board.request(story.id))) {
      this.#board.add(one);
      this.#storage.add(one);
    }
    this.#words.hear(word);
    if (!this.#storage.isFolded) await this.#alarm.set();
    return this.#words.interest;
  }

  async snapshot(): Promise<Snapshot> {
    this.#words.look('inExchanges');
    const standing = await this.#standingNow();
    const atMs = workerClock.wallMs();
    return snapshotOf(this.#board, withStandings(this.#words.reports(), standing), {
      atMs,
      scope: 'worker',
      spentUsd: async (tenant, { per }) => {
        return spentIn(await remotesOf(this.env).tenant(tenant).spent(), periodStartMs(per, atMs));
      },
    });
  }

  history(): History {
    return this.#board.history(workerClock.wallMs());
  }

  requests(query: RequestQuery): readonly RequestRow[] | null {
    return this.#board.requests(query);
  }

  request(id: string): RequestStory | null {
    return this.#board.request(id);
  }

  prefixes(): PrefixForest {
    this.#words.look('inPrompts');
    const forests = this.#words.prompts().map(({ prefixes }) => prefixes);
    return mergePrefixes(forests, this.#idOf);
  }

  volatilePrefixes(): readonly VolatileAdvice[] {
    this.#words.look('inPrompts');
    return mergeAdvice(this.#words.prompts().flatMap(({ volatilePrefixes }) => volatilePrefixes));
  }

  savings(by: SavingsReport['by']): SavingsReport {
    return this.#board.savings(by, workerClock.wallMs());
  }

  savingsCsv(): Promise<string> {
    return savingsCsv(this.#board.savingsEntries(workerClock.wallMs()), workerClock);
  }

  override alarm(): void {
    this.#alarm.rang();
    this.#storage.fold(this.#board.savingsEntries(workerClock.wallMs()));
  }

  #standingNow(): Promise<Standing> {
    const nowMs = workerClock.nowMs();
    if (!this.#standing || nowMs - this.#standing.readAtMs >= STANDING_FRESH_MS)
      this.#standing = { readAtMs: nowMs, read: this.#readStanding() };
    return this.#standing.read;
  }

  async #readStanding(): Promise<Standing> {
    const hubs = hubNames.map(metricsHubsOf(this.env));
    const busy = new Set((await Promise.all(hubs.map((hub) => hub.busyTenants()))).flat());
    const upstreams = new Set(this.#words.reports().flatMap((report) => report.upstreams.map(({ id }) => id)));
    return readStanding(remotesOf(this.env), [...busy].slice(-MOST_TENANTS), [...upstreams]);
  }
}
