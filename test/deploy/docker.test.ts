import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { accepted, askedVariables, fileText, longestEndMs, ROOT, spanMs, yamlFile } from './deploy-files.ts';
import { probe } from './probes.ts';

const { scripts, dependencies } = z
  .looseObject({ scripts: z.record(z.string(), z.string()), dependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(fileText('package.json')));

/** The instructions of a Dockerfile, continued lines joined. */
const instructions = fileText('Dockerfile')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .map((line) => /^([A-Z]+) +(.*)$/.exec(line))
  .filter((match) => match !== null)
  .map(([, name = '', rest = '']) => ({ name, rest: rest.trim() }));
const only = (name: string): string[] => instructions.filter((one) => one.name === name).map(({ rest }) => rest);
const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));

/** On Workers, in a browser, before a commit. */
const RUN_ELSEWHERE = ['worker/', 'console/page/', 'console/build-page.ts'];

describe('Dockerfile', () => {
  it('starts what npm start starts', () => {
    const command = JSON.parse(only('CMD').at(-1) ?? '') as string[];
    expect(command.join(' ')).toBe(scripts['start']);
  });

  it('copies only what its build context holds', () => {
    const context = fileText('.dockerignore');
    const sources = only('COPY').filter((rest) => !rest.startsWith('--from'));
    const paths = sources.flatMap((rest) => rest.split(/ +/).slice(0, -1));
    expect(paths.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
    expect(paths.filter((path) => !context.includes(`!${path}\n`))).toEqual([]);
  });

  it('runs as a user who is seen not to be root by his number, and stops by the signal that drains', () => {
    const [user = ''] = lastStage.filter(({ name }) => name === 'USER').map(({ rest }) => rest);
    expect(Number(user.split(':')[0])).toBeGreaterThan(0);
    expect(only('STOPSIGNAL')).toEqual(['SIGTERM']);
  });

  it('is healthy exactly while the process lives, also when it drains', async () => {
    const [path] = /\/\w+z\b/.exec(only('HEALTHCHECK')[0] ?? '') ?? [''];
    expect(await probe(path)).toEqual({ serving: 200, draining: 200 });
  });

  it('listens on the port that it exposes', () => {
    const port = /\bPORT=(\d+)/.exec(only('ENV').join(' '))?.[1];
    expect(only('EXPOSE')).toEqual([port]);
    expect(port).toBe(String(accepted('').config.listen.port));
  });

  it('finds every package that the sources of Node import among those it installs', () => {
    const sources = readdirSync(new URL('src/', ROOT), { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !RUN_ELSEWHERE.some((one) => path.startsWith(one)),
    );
    const imported = new Set(sources.flatMap((path) => packagesOf(fileText(`src/${path}`))));
    expect([...imported].filter((name) => !Object.hasOwn(dependencies, name))).toEqual([]);
  });
});

/** The packages that are there when the module runs: type imports are stripped. */
function packagesOf(text: string): string[] {
  const statements = /^(?:import|export)\b(?! type\b)(?:[^'";]*\bfrom)?\s*'([^'.][^']*)'|\bimport\('([^'.][^']*)'\)/gm;
  return [...text.matchAll(statements)]
    .map(([, source, onDemand]) => source ?? onDemand ?? '')
    .filter((source) => !source.startsWith('node:'))
    .map((source) => /^(?:@[^/]+\/)?[^/]+/.exec(source)?.[0] ?? source);
}

describe('deploy/docker/compose.yaml', () => {
  const { slipstream } = yamlFile(
    'deploy/docker/compose.yaml',
    z.object({
      services: z.object({
        slipstream: z.looseObject({
          build: z.string(),
          stop_grace_period: z.string(),
          ports: z.array(z.string()),
          environment: z.record(z.string(), z.string()),
          volumes: z.array(z.string()),
          read_only: z.boolean(),
        }),
      }),
    }),
  ).services;
  const example = fileText('slipstream.example.yaml');

  it('builds the Dockerfile of this project', () => {
    const context = new URL(`${slipstream.build}/`, new URL('deploy/docker/compose.yaml', ROOT));
    expect(context.href).toBe(ROOT.href);
  });

  it('gives the example of the settings the variables that it names', () => {
    const { SLIPSTREAM_CONFIG, ...rest } = slipstream.environment;
    expect(Object.keys(rest)).toEqual(askedVariables(example));
    const [folder] = slipstream.volumes.map((volume) => volume.split(':')[1]);
    expect(SLIPSTREAM_CONFIG).toBe(`${folder}/slipstream.yaml`);
  });

  it('waits longer than the gateway takes to end on the example of the settings', () => {
    expect(spanMs(slipstream.stop_grace_period)).toBeGreaterThan(longestEndMs(accepted(example)));
  });

  it('publishes the port of the image on loopback only', () => {
    const port = only('EXPOSE')[0];
    expect(slipstream.ports).toEqual([`127.0.0.1:${port}:${port}`]);
  });
});
