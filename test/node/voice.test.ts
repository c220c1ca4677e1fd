import { describe, expect, it } from 'vitest';
import pino from 'pino';
import { createVoice } from '../../src/node/voice.ts';
import { accept } from '../config/parsing.ts';

function listen(isTTY: boolean) {
  const lines: Record<string, unknown>[] = [];
  let screen = '';
  const log = pino(
    { base: null },
    { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const voice = createVoice(log, { isTTY, write: (text) => (screen += text) });
  return { voice, lines, screen: () => screen };
}

const PROBLEM = { path: 'limits.drain', line: 3, message: '30 has no unit', mend: 'write 30s' };

describe('the voice of the process', () => {
  it('tells the log what is being waited for, and nobody where nobody is watching', () => {
    const { voice, lines, screen } = listen(false);
    voice.drain({ kind: 'started', openExchanges: 3, noticeMs: 0, drainMs: 30_000 });
    voice.drain({ kind: 'waiting', openExchanges: 1, leftMs: 20_000 });
    expect(lines).toMatchObject([
      { msg: 'draining', openExchanges: 3, drainMs: 30_000 },
      { openExchanges: 1, leftMs: 20_000 },
    ]);
    expect(screen()).toBe('');
  });

  it('tells a person at a terminal how many answers are open, for how long at most, and how to end it now', () => {
    const { voice, screen } = listen(true);
    voice.drain({ kind: 'started', openExchanges: 3, noticeMs: 5_000, drainMs: 30_000 });
    voice.drain({ kind: 'waiting', openExchanges: 1, leftMs: 20_000 });
    voice.drain({ kind: 'stopping', because: 'hurry', stoppedExchanges: 1 });
    voice.drain({ kind: 'ended', durationMs: 12_340, stoppedExchanges: 1, cutConnections: 0 });
    for (const part of ['3 open answers', 'port stays open for 5 s', 'Ctrl-C', '1 open answer, at most 20 s', '12.3 s'])
      expect(screen()).toContain(part);
  });

  it('names every problem of a file that changed nothing, with its line, in the log and on the screen', () => {
    const { voice, lines, screen } = listen(true);
    voice.settings({ kind: 'unchanged', problems: [PROBLEM] });
    expect(lines).toMatchObject([{ level: 50, problems: [PROBLEM] }]);
    expect(screen()).toContain('limits.drain (line 3): 30 has no unit');
  });

  it('says of a reload what only a restart changes', () => {
    const { voice, lines, screen } = listen(true);
    voice.settings({ kind: 'reloaded', config: accept('').config, notices: [PROBLEM], needRestart: ['listen'] });
    expect(lines.map(({ msg }) => msg)).toContain('settings reloaded');
    expect(lines).toContainEqual(expect.objectContaining({ level: 40, settings: ['listen'] }));
    expect(screen()).toContain('Only a restart changes: listen');
  });

  it.each([
    ['closed', 'credential_refused', 50],
    ['closed', 'open', 40],
    ['open', 'half_open', 30],
    ['half_open', 'closed', 30],
  ] as const)('tells the log that an upstream went from %s to %s, the worse the louder', (from, to, level) => {
    const { voice, lines, screen } = listen(true);
    voice.upstream('main', from, to);
    expect(lines).toMatchObject([{ level, upstream: 'main', from, to }]);
    expect(screen().includes('Upstream main:')).toBe(to !== 'half_open');
  });

  it('tells the log when the shared state is out of reach, and when it is back', () => {
    const { voice, lines, screen } = listen(true);
    voice.state({ kind: 'degraded', because: 'timeout' });
    voice.state({ kind: 'ok' });
    expect(lines).toMatchObject([{ level: 40, because: 'timeout' }, { level: 30 }]);
    expect(screen()).toMatch(/out of reach \(timeout\).*\n.*is back/);
  });
});
