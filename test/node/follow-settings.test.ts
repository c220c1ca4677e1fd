import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { followSettings, SETTLE_MS, type SettingsEvent } from '../../src/node/follow-settings.ts';
import { parseSettings, readSettings } from '../../src/node/load-settings.ts';
import { createFakeClock } from '../support/fake-clock.ts';

/** Asked for by hand, on a fake clock; that a change is noticed by itself is in test/runtime/reload.test.ts. */

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanups.splice(0)) cleanUp();
});

const tenants = (...ids: readonly string[]): string =>
  ['upstreams: [{ id: main, apiKey: upstream-key-of-main }]', 'tenants:']
    .concat(ids.map((id) => `  - { id: ${id}, keys: [gateway-key-of-${id}] }`))
    .join('\n');

function follow(text = tenants('acme')) {
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-test-'));
  const path = join(folder, 'slipstream.yaml');
  writeFileSync(path, text);
  const source = readSettings(path);
  const settings = parseSettings(source, {});
  if (settings.kind === 'invalid') throw new Error(JSON.stringify(settings.problems));
  const clock = createFakeClock();
  const applied: string[][] = [];
  const events: SettingsEvent[] = [];
  const follower = followSettings({
    path,
    environment: {},
    clock,
    started: { source, config: settings.config },
    apply({ config }) {
      if (config.tenants.length > 3) throw new Error('a bug');
      applied.push(config.tenants.map(({ id }) => id));
    },
    report: (event) => events.push(event),
  });
  cleanups.push(
    () => follower.stop(),
    () => rmSync(folder, { recursive: true }),
  );
  return {
    path,
    clock,
    follower,
    applied,
    events,
    write: (next: string) => writeFileSync(path, next),
    problems: () => events.flatMap((event) => (event.kind === 'unchanged' ? event.problems : [])),
    async reload() {
      follower.reload();
      await clock.advance(SETTLE_MS);
    },
  };
}

describe('settings that are read again', () => {
  it('are applied whole, and reported', async () => {
    const run = follow();
    run.write(tenants('acme', 'globex'));
    await run.reload();
    expect(run.applied).toEqual([['acme', 'globex']]);
    expect(run.events).toMatchObject([{ kind: 'reloaded', needRestart: [], notices: [] }]);
  });

  it('name what only a restart brings into effect, and take the rest', async () => {
    const run = follow();
    run.write(`listen: { port: 9999 }\n${tenants('globex')}`);
    await run.reload();
    expect(run.applied).toEqual([['globex']]);
    expect(run.events).toMatchObject([{ kind: 'reloaded', needRestart: ['listen'] }]);
  });

  it('bring their notices with them', async () => {
    const run = follow();
    run.write(`cache: { minReuse: 2 }\n${tenants('acme')}`);
    await run.reload();
    expect(run.events).toMatchObject([{ kind: 'reloaded', notices: [{ path: 'cache.minReuse' }] }]);
  });

  it('are read again on request even if nothing has changed', async () => {
    const run = follow();
    await run.reload();
    await run.reload();
    expect(run.applied).toEqual([['acme'], ['acme']]);
  });

  it('are left alone when nobody asks and nothing changes', async () => {
    const run = follow();
    await run.clock.advance(60_000);
    expect(run.events).toEqual([]);
    expect(run.clock.pending).toBe(0);
  });

  it('that changed between their first reading and the first look are noticed', async () => {
    const run = follow();
    run.write(tenants('globex'));
    await run.clock.advance(2 * SETTLE_MS);
    expect(run.applied).toEqual([['globex']]);
  });

  it('leave no timer behind when following stops, and are not read after that', async () => {
    const run = follow();
    run.follower.reload();
    run.follower.stop();
    run.follower.reload();
    expect(run.clock.pending).toBe(0);
  });
});

describe('a file that is being written', () => {
  it('does not count in any state that it does not stay in', async () => {
    const run = follow(tenants('acme', 'globex', 'initech'));
    const whole = tenants('acme', 'globex', 'hooli');
    run.follower.reload();
    for (const end of [0.1, 0.5, 0.8, 1]) {
      run.write(whole.slice(0, whole.length * end));
      await run.clock.advance(SETTLE_MS - 1);
    }
    await run.clock.advance(2 * SETTLE_MS);
    expect(run.applied).toEqual([['acme', 'globex', 'hooli']]);
    expect(run.problems()).toEqual([]);
  });

  it('and is changed again right after it was taken is taken again', async () => {
    const run = follow();
    run.write(tenants('one'));
    run.follower.reload();
    await run.clock.advance(SETTLE_MS);
    run.write(tenants('two'));
    run.follower.reload();
    await run.clock.advance(SETTLE_MS);
    expect(run.applied).toEqual([['one'], ['two']]);
  });
});

it('a valid file that cannot be applied is a bug, which is reported and ends nothing', async () => {
  const run = follow();
  run.write(tenants('one', 'two', 'three', 'four'));
  await run.reload();
  expect(run.events).toMatchObject([{ kind: 'failed', error: new Error('a bug') }]);
});

describe('a file that cannot be taken changes nothing, and says why:', () => {
  it('one with problems names all of them with their lines', async () => {
    const run = follow();
    run.write(`${tenants('acme')}\nlimits:\n  drain: 30\n  bodyBytes: much\n`);
    await run.reload();
    expect(run.applied).toEqual([]);
    expect(run.problems()).toMatchObject([
      { path: 'limits.drain', line: 5 },
      { path: 'limits.bodyBytes', line: 6 },
    ]);
  });

  it('an empty one is not taken for the defaults, with which everybody would get in', async () => {
    const run = follow();
    for (const text of ['', '\n']) {
      run.write(text);
      await run.reload();
    }
    expect(run.applied).toEqual([]);
    expect(run.problems().map(({ message }) => message)).toEqual([
      expect.stringContaining('is empty'),
      expect.stringContaining('is empty'),
    ]);
  });

  it('one that is gone; when it is back as it was, that is told as well', async () => {
    const run = follow();
    rmSync(run.path);
    await run.reload();
    expect(run.problems()).toMatchObject([{ message: expect.stringContaining('ENOENT') }]);
    run.write(tenants('acme'));
    await run.reload();
    expect(run.events.map(({ kind }) => kind)).toEqual(['unchanged', 'reloaded']);
  });

  it('a directory in its place', async () => {
    const run = follow();
    rmSync(run.path);
    mkdirSync(run.path);
    await run.reload();
    expect(run.applied).toEqual([]);
    expect(run.problems()).toMatchObject([{ message: expect.stringContaining('not a regular file') }]);
  });

  it('something in its place that never ends, which is not read', async () => {
    const run = follow();
    rmSync(run.path);
    symlinkSync('/dev/zero', run.path);
    await run.reload();
    expect(run.problems()).toMatchObject([{ message: expect.stringContaining('not a regular file') }]);
  });
});
