import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';
import { settingsNeedingRestart } from '../../src/config/restart-settings.ts';
import { accept } from './parsing.ts';

const drainMs = (text: string) => accept(`limits: { drain: ${text} }`).config.limits.drainMs;
const bodyBytes = (text: string) => accept(`limits: { bodyBytes: ${text} }`).config.limits.bodyBytes;

describe('quantities', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5 m', 300_000],
    ['24h', 86_400_000],
    ['596h', 2_145_600_000],
    ['"0s"', 0],
  ])('the duration %s is %i ms', (text, ms) => {
    expect(drainMs(text)).toBe(ms);
  });

  it.each([
    ['1B', 1],
    ['512KiB', 524_288],
    ['10MB', 10_000_000],
    ['32MiB', 33_554_432],
    ['1.5GiB', 1_610_612_736],
    ['2KB', 2000],
    ['1GB', 1_000_000_000],
  ])('the size %s is %i bytes', (text, bytes) => {
    expect(bodyBytes(text)).toBe(bytes);
  });
});

describe('did you mean', () => {
  it.each([
    ['prot', 'port'],
    ['Port', 'port'],
    ['stream_idle', 'streamIdle'],
    ['baseURL', 'baseUrl'],
    ['tenant', 'tenants'],
  ])('%s stands for %s', (word, option) => {
    expect(nearest(word, ['host', 'port', 'streamIdle', 'baseUrl', 'tenants'])).toBe(option);
  });

  it('a word like nothing stands for nothing', () => {
    expect(nearest('qqq', ['host', 'port'])).toBeUndefined();
    expect(nearest('x', ['y'])).toBeUndefined();
    expect(nearest('', ['y'])).toBeUndefined();
    expect(nearest('y'.repeat(10_000), ['y'])).toBeUndefined();
  });
});

describe('reload', () => {
  it('only listen needs a restart of what can differ in this version', () => {
    const running = accept('').config;
    const next = accept('listen: { port: 1 }\nlimits: { drain: 1s }').config;
    expect(settingsNeedingRestart(running, next)).toEqual(['listen']);
    expect(settingsNeedingRestart(running, accept('limits: { drain: 1s }').config)).toEqual([]);
  });
});
