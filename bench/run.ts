// The proxy benchmark: Slipstream, a bare pipe, nginx, HAProxy and Portkey in front of one mock, measured in turns.
// Progress goes to stderr, the tables to stdout, every raw figure to JSON. No figure passes or fails anything.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cellsOf } from './cells.ts';
import type { Cell } from './cells.ts';
import { isStopping, stopAll } from './child.ts';
import { describeMachine, openFilesLimit, placementFor } from './machine.ts';
import { measureCpu, measureFirstByte } from './measure-requests.ts';
import type { CpuFigure, FirstByteFigure } from './measure-requests.ts';
import { measureStreams } from './measure-streams.ts';
import type { StreamFigure } from './measure-streams.ts';
import { parseOptions } from './options.ts';
import type { Options } from './options.ts';
import { haproxy } from './proxies/haproxy.ts';
import { nginx } from './proxies/nginx.ts';
import { pipe } from './proxies/pipe.ts';
import { portkey } from './proxies/portkey.ts';
import type { Proxy, RunningProxy } from './proxies/proxy.ts';
import { slipstream } from './proxies/slipstream.ts';
import { cpuTables, failureLines, failuresOfStreams, firstByteTable, streamTable } from './report.ts';
import { failureCount, openSession, say, startOrSay, targetOf } from './session.ts';
import type { Session } from './session.ts';

const PROXIES: readonly Proxy[] = [haproxy, nginx, pipe, slipstream, portkey];
const FILES_BESIDE_STREAMS = 200;
const BURST_PER_SECOND = 50;

interface Results {
  missing: string[];
  cpu: CpuFigure[];
  firstByte: FirstByteFigure[];
  streams: StreamFigure[];
  burst: StreamFigure[];
}

const parsed = parseOptions(
  process.argv.slice(2),
  PROXIES.map((proxy) => proxy.name),
);
if (parsed.kind === 'stop') {
  (parsed.exitCode === 0 ? process.stdout : process.stderr).write(`${parsed.message}\n`);
  process.exit(parsed.exitCode);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say('stopping what was started');
    void stopAll().finally(() => process.exit(130));
  });
}
try {
  await run(parsed.options);
} catch (error) {
  if (!isStopping()) throw error;
} finally {
  await stopAll();
}

async function run(options: Options): Promise<void> {
  const machine = describeMachine();
  const placement = placementFor(options.wantsPin);
  const results: Results = { missing: [], cpu: [], firstByte: [], streams: [], burst: [] };
  const jsonFile = options.jsonFile ?? defaultJsonFile(machine.date);
  const keep = (): void => {
    mkdirSync(dirname(jsonFile), { recursive: true });
    writeFileSync(jsonFile, `${JSON.stringify({ machine, placement, options, ...results }, null, 2)}\n`);
  };
  const proxies = chosenProxies(options, results);
  const cells = cellsOf(options.shapes);
  const session = await openSession(placement, options.paceMs);

  await measureCalls(session, proxies, cells, options, results);
  keep();
  await measureOpenStreams(session, proxies, options, results);
  keep();
  process.stdout.write(`\n${tablesOf(results, proxies, cells, options).join('\n\n')}\n`);
  say(`every figure of every round: ${jsonFile}`);
}

async function measureCalls(
  session: Session,
  proxies: readonly Proxy[],
  cells: readonly Cell[],
  options: Options,
  results: Results,
): Promise<void> {
  if (!options.parts.includes('cpu') && !options.parts.includes('first-byte')) return;
  const running: RunningProxy[] = [];
  for (const proxy of proxies) {
    const started = await startOrSay(session, proxy);
    if (started.kind === 'started') running.push(started.proxy);
  }
  for (const proxy of running) await checkAnswers(session, proxy, cells);
  const { rounds, requests, connections, firstByteRequests } = options;
  if (options.parts.includes('cpu')) {
    results.cpu = await measureCpu(session, running, cells, { rounds, requests, connections });
  }
  if (options.parts.includes('first-byte')) {
    results.firstByte = await measureFirstByte(session, running, cells, { rounds, requests: firstByteRequests });
  }
  for (const proxy of running) await proxy.child.stop();
}

async function measureOpenStreams(
  session: Session,
  proxies: readonly Proxy[],
  options: Options,
  results: Results,
): Promise<void> {
  const plan = { rounds: options.streamRounds, watchMs: options.watchMs };
  for (const streams of options.parts.includes('streams') ? options.streams : []) {
    if (!fits(streams)) continue;
    results.streams.push(...(await measureStreams(session, proxies, { ...plan, streams, burstPerSecond: 0 })));
  }
  if (options.parts.includes('burst') && fits(options.burstStreams)) {
    const streams = options.burstStreams;
    results.burst = await measureStreams(session, proxies, { ...plan, streams, burstPerSecond: BURST_PER_SECOND });
  }
}

/** One call per cell before anything is counted: a proxy that answers wrongly is measured all the same, and marked. */
async function checkAnswers(session: Session, proxy: RunningProxy, cells: readonly Cell[]): Promise<void> {
  for (const { bodyBytes, shape, name } of cells) {
    const target = targetOf(proxy);
    const one = { target, bodyBytes, shape, requests: 1, connections: 1, pauseMs: 0, capMs: 1000 };
    const { failures } = await session.requests(one);
    if (failureCount(failures) > 0) say(`!!! ${proxy.name} fails ${name}: ${Object.keys(failures).join()}`);
  }
}

function chosenProxies(options: Options, results: Results): Proxy[] {
  const chosen = PROXIES.filter((proxy) => options.only.length === 0 || options.only.includes(proxy.name));
  return chosen.filter((proxy) => {
    const presence = proxy.presence();
    if (presence.kind === 'present') return true;
    say(`!!! ${proxy.name} IS NOT MEASURED: not on this machine. To install: ${presence.howToInstall}`);
    results.missing.push(proxy.name);
    return false;
  });
}

function fits(streams: number): boolean {
  const needed = streams * 2 + FILES_BESIDE_STREAMS;
  if (needed <= openFilesLimit()) return true;
  say(`!!! ${streams} STREAMS ARE NOT MEASURED: a proxy needs ${needed} files, ulimit -Hn gives ${openFilesLimit()}`);
  return false;
}

function tablesOf(results: Results, rows: readonly Proxy[], cells: readonly Cell[], options: Options): string[] {
  const { cpu, firstByte, streams, burst } = results;
  const ofCount = (count: number): StreamFigure[] => streams.filter((figure) => figure.streams === count);
  const besides = `${options.burstStreams} open streams beside ${BURST_PER_SECOND} calls a second with 1 MB`;
  return [
    ...(cpu.length > 0 ? [cpuTables(cpu, rows, cells)] : []),
    ...(firstByte.length > 0 ? [firstByteTable(firstByte, rows, cells)] : []),
    ...options.streams
      .filter((count) => ofCount(count).length > 0)
      .map((count) => streamTable(`${count} open streams, one event a second each`, ofCount(count), rows)),
    ...(burst.length > 0 ? [streamTable(besides, burst, rows)] : []),
    failureLines([...cpu, ...firstByte, ...[...streams, ...burst].flatMap(failuresOfStreams)]).join('\n'),
  ];
}

function defaultJsonFile(date: string): string {
  return fileURLToPath(new URL(`./results/${date.replaceAll(':', '-')}.json`, import.meta.url));
}
