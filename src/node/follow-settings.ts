import { unwatchFile, watchFile } from 'node:fs';
import type { Config, ConfigResult, Environment, Problem } from '../config/config.ts';
import { settingsNeedingRestart } from '../config/restart-settings.ts';
import type { Clock } from '../core/clock.ts';
import { parseSettings, rereadSettings, type SettingsSource } from './load-settings.ts';

/**
 * Settings that follow their file. It is looked at by name and not by inode, which also sees a rename over it and the
 * symlinks of a Kubernetes config map. A file may be caught half written, and half a list of tenants is valid: what is
 * read counts once it has stayed the same for a moment. Whatever cannot be taken leaves everything as it is.
 */
export interface FollowOptions {
  readonly path: string | null;
  readonly environment: Environment;
  readonly clock: Clock;
  /** What runs now, and the text it was made of. */
  readonly started: { readonly source: SettingsSource; readonly config: Config };
  readonly apply: (settings: Extract<ConfigResult, { kind: 'ok' }>) => void;
  readonly report: (event: SettingsEvent) => void;
}

export type SettingsEvent =
  | {
      readonly kind: 'reloaded';
      readonly config: Config;
      readonly notices: readonly Problem[];
      /** Changed as well, but read at the start only. */
      readonly needRestart: readonly string[];
    }
  | { readonly kind: 'unchanged'; readonly problems: readonly Problem[] }
  /** A bug: the file is valid, and applying it failed. */
  | { readonly kind: 'failed'; readonly error: unknown };

export interface SettingsFollower {
  /** Reads the file again even if it is as before. */
  reload(): void;
  stop(): void;
}

/** How often the file's name, time and size are looked at. */
const WATCH_INTERVAL_MS = 1_000;
/** How long a text must have stayed the same before it counts. */
export const SETTLE_MS = 200;

export function followSettings(options: FollowOptions): SettingsFollower {
  const { path, clock } = options;
  let taken = options.started.source;
  let cancelSettling = (): void => {};
  let isAskedFor = false;
  let isStopped = false;

  const look = (): void => settle(rereadSettings(path));
  const settle = (seen: SettingsSource): void => {
    cancelSettling();
    cancelSettling = clock.after(SETTLE_MS, () => {
      const source = rereadSettings(path);
      if (!isSame(seen, source)) return settle(source);
      if (!isAskedFor && isSame(taken, source)) return;
      isAskedFor = false;
      taken = source;
      options.report(take(source, options));
    });
  };

  if (path !== null) watchFile(path, { interval: WATCH_INTERVAL_MS, persistent: false }, look);
  look(); // a change between the first reading and the first look of the watcher
  return {
    reload() {
      if (isStopped) return;
      isAskedFor = true;
      look();
    },
    stop() {
      isStopped = true;
      cancelSettling();
      if (path !== null) unwatchFile(path, look);
    },
  };
}

function take(source: SettingsSource, { environment, started, apply }: FollowOptions): SettingsEvent {
  const next = isEmptied(source, started.source) ? EMPTIED : parseSettings(source, environment);
  if (next.kind === 'invalid') return { kind: 'unchanged', problems: next.problems };
  try {
    apply(next);
  } catch (error) {
    return { kind: 'failed', error };
  }
  const { config, notices } = next;
  return { kind: 'reloaded', config, notices, needRestart: settingsNeedingRestart(started.config, config) };
}

/** An empty file is valid, and without tenants the gateway lets everybody in: no accident may come to that. */
function isEmptied(source: SettingsSource, started: SettingsSource): boolean {
  return source.kind === 'text' && source.text.trim() === '' && started.kind === 'text' && started.text.trim() !== '';
}

const EMPTIED: ConfigResult = {
  kind: 'invalid',
  problems: [
    {
      path: '',
      message: 'the file is empty, which a reload does not take for the defaults',
      mend: 'write the settings, or restart the gateway to run without any',
    },
  ],
};

function isSame(one: SettingsSource, other: SettingsSource): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
