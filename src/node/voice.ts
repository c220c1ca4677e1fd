import type { Logger } from 'pino';
import { renderProblems } from '../config/render-problems.ts';
import type { BreakerState } from '../core/failures/circuit-breaker.ts';
import type { EngineHealth } from '../state/engine.ts';
import type { DrainProgress } from './drain.ts';
import type { SettingsEvent } from './follow-settings.ts';

/**
 * What the process tells its operator of itself: always a line of the log, and the same in words where a person is
 * watching. The first is for machines and keeps its field names; the second says what is being waited for.
 */
export interface Voice {
  drain(progress: DrainProgress): void;
  settings(event: SettingsEvent): void;
  /** The shared state is out of reach, or back. */
  state(health: EngineHealth): void;
  /** An upstream's breaker has moved. */
  upstream(upstreamId: string, from: BreakerState, to: BreakerState): void;
}

export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export function createVoice(log: Logger, terminal: Terminal): Voice {
  const say = (text: string): void => {
    if (terminal.isTTY === true) terminal.write(`${text}\n`);
  };
  return {
    drain(progress) {
      const { kind, ...fields } = progress;
      log[kind === 'stopping' ? 'warn' : 'info'](fields, DRAIN_MESSAGES[kind]);
      say(describeDrain(progress));
    },
    settings(event) {
      if (event.kind === 'unchanged') {
        log.error({ problems: event.problems }, 'settings unchanged: the file has problems');
        say(`The settings stay as they were:\n${renderProblems(event.problems)}`);
        return;
      }
      if (event.kind === 'failed') {
        log.error({ err: event.error }, 'settings unchanged: internal error');
        say('The settings stay as they were: an internal error, see the log.');
        return;
      }
      const { config, notices, needRestart } = event;
      if (needRestart.length > 0) log.warn({ settings: needRestart }, 'changed, but read at the start only');
      if (notices.length > 0) log.warn({ notices }, 'settings that may not be meant so');
      log.info({ tenants: config.tenants.length, upstreams: config.upstreams.length }, 'settings reloaded');
      if (needRestart.length > 0) say(`Only a restart changes: ${needRestart.join(', ')}.`);
      if (notices.length > 0) say(renderProblems(notices));
      say('The settings have been read again.');
    },
    state(health) {
      if (health.kind === 'ok') {
        log.info({}, 'the shared state is back');
        return say('The shared state is back.');
      }
      log.warn({ because: health.because }, 'the shared state is out of reach: on our share of the limits');
      say(`The shared state is out of reach (${health.because}): on our share of the limits until it is back.`);
    },
    upstream(upstream, from, to) {
      const message = BREAKER_MESSAGES[to];
      log[to === 'credential_refused' ? 'error' : to === 'open' ? 'warn' : 'info']({ upstream, from, to }, message);
      if (to !== 'half_open') say(`Upstream ${upstream}: ${message}.`);
    },
  };
}

/** Nothing of the key itself, nor of what the upstream said: that may quote it. */
const BREAKER_MESSAGES: Readonly<Record<BreakerState, string>> = {
  closed: 'works again',
  half_open: 'one call finds out whether it works again',
  open: 'calls fail one after the other; it is asked again in a while',
  credential_refused:
    "refuses this gateway's key; until it takes it again, or settings with another are loaded, others are asked",
};

const DRAIN_MESSAGES: Readonly<Record<DrainProgress['kind'], string>> = {
  started: 'draining',
  waiting: 'draining: exchanges are still open',
  stopping: 'ending what is open',
  ended: 'stopped',
};

function describeDrain(progress: DrainProgress): string {
  switch (progress.kind) {
    case 'started': {
      const { openExchanges, noticeMs, drainMs } = progress;
      const notice = noticeMs > 0 ? `; the port stays open for ${seconds(noticeMs)}` : '';
      const wait =
        openExchanges === 0 ? 'nothing is open' : `${answers(openExchanges)} may take ${seconds(drainMs)} to end`;
      return `Going away: ${wait}${notice}. Another Ctrl-C ends it now.`;
    }
    case 'waiting':
      return `Still waiting for ${answers(progress.openExchanges)}, at most ${seconds(progress.leftMs)} more.`;
    case 'stopping':
      return `Ending ${answers(progress.stoppedExchanges)} now.`;
    default:
      return `Stopped after ${seconds(progress.durationMs)}.`;
  }
}

const answers = (count: number): string => (count === 1 ? '1 open answer' : `${count} open answers`);
const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
