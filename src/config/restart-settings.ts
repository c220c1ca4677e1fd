/**
 * What a reload cannot change: the socket is open and the state engine is connected. Everything else is read from the
 * new Config by the next request.
 */
import type { Config } from './config.ts';

const RESTART_SETTINGS = ['listen', 'state'] as const;

/** The settings in which the new Config differs and that only a restart brings into effect. */
export function settingsNeedingRestart(running: Config, next: Config): readonly string[] {
  return RESTART_SETTINGS.filter((name) => JSON.stringify(running[name]) !== JSON.stringify(next[name]));
}
