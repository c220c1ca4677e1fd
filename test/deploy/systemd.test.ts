import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { accepted, askedVariables, fileText, longestEndMs, ROOT, spanMs } from './deploy-files.ts';

const UNIT = 'deploy/systemd/slipstream@.service';
const unit = fileText(UNIT);
const example = fileText('slipstream.example.yaml');

/** The last value of a directive; a later one replaces an earlier one. */
const directive = (name: string): string => {
  const values = [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value ?? '');
  return values.at(-1) ?? '';
};

const { scripts } = z
  .looseObject({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(fileText('package.json')));

describe(UNIT, () => {
  it('consists of sections, directives and comments', () => {
    const odd = unit.split('\n').filter((line) => !/^(#.*|\[(Unit|Service|Install)\]|[A-Z]\w+=.*|)$/.test(line));
    expect(odd).toEqual([]);
  });

  it('starts what npm start starts, with the settings of the machine', () => {
    const [command = '', ...args] = directive('ExecStart').split(' ');
    expect(command.startsWith('/')).toBe(true);
    expect(['node', ...args.slice(0, -2)].join(' ')).toBe(scripts['start']);
    expect(args.at(-2)).toBe('--config');
  });

  it('names a program and a page that are there, below the folder it works in', () => {
    const program = directive('ExecStart').split(' ')[2] ?? '';
    expect(existsSync(new URL(program, ROOT))).toBe(true);
    const page = directive('Documentation').replace(`file://${directive('WorkingDirectory')}/`, '');
    expect(existsSync(new URL(page, ROOT))).toBe(true);
  });

  it('waits longer than the gateway takes to end on the example of the settings', () => {
    expect(spanMs(directive('TimeoutStopSec'))).toBeGreaterThan(longestEndMs(accepted(example)));
  });

  it('drains on stop, reloads on reload, and leaves a process ended that was asked to end', () => {
    expect(directive('KillSignal')).toBe('SIGTERM');
    expect(directive('ExecReload')).toBe('/bin/kill -HUP $MAINPID');
    expect(directive('Restart')).toBe('on-failure');
  });

  it('lets V8 make code: that is memory which is written and run', () => {
    expect(directive('MemoryDenyWriteExecute')).toBe('');
  });

  it('has an example of the environment with the variables that the example of the settings names', () => {
    const variables = [...fileText('deploy/systemd/slipstream.env.example').matchAll(/^(\w+)=/gm)];
    expect(variables.map(([, name]) => name)).toEqual(askedVariables(example));
  });
});
