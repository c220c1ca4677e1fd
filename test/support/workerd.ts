import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { within } from './eventually.ts';

/**
 * The runtime of Workers without wrangler around it, which would swallow what clients do to their connections. The only
 * network a worker reaches is loopback and private addresses: a test cannot leave the machine, whatever its settings say.
 */
export interface Workerd {
  /** One for each isolate. */
  readonly ports: readonly number[];
  /** All that the worker has logged, one line each. */
  readonly lines: readonly string[];
  residentBytes(): number;
  /** As if the machine went away: nothing is told, connections are reset. */
  stop(): Promise<void>;
}

export interface WorkerScript {
  readonly modulePath: string;
  /** A module that is run in its place and may import it by its name. */
  readonly wrapperPath?: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly objects: readonly DurableObject[];
  readonly assets?: Assets;
}

/** Files beside the script, as a binding that answers for them. */
interface Assets {
  readonly binding: string;
  readonly folder: string;
}

export interface DurableObject {
  readonly binding: string;
  readonly className: string;
}

export interface WorkerdOptions {
  readonly script: WorkerScript;
  /** Text bindings: variables and secrets. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Isolates of the same code, each behind a port of its own. The durable objects live in the first, for all of them. */
  readonly isolates?: number;
}

const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 20_000;
const CONTROL_FD = 3;

// The package has no types; its default export is the path of the binary, which `require` gives in every runner.
const { default: binary } = createRequire(import.meta.url)('workerd') as { default: string };

export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-workerd-'));
  const configPath = join(folder, 'config.capnp');
  writeFileSync(configPath, capnpConfig(options, folder));
  const child = spawn(binary, ['serve', `--control-fd=${CONTROL_FD}`, configPath], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: {},
  });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = logged(child);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await within('workerd ends', STOP_DEADLINE_MS, exited);
    process.off('exit', killWithUs);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ports = await within('workerd listens', START_DEADLINE_MS, listening(child, exited, options.isolates ?? 1));
    return { ports, lines, stop, residentBytes: () => residentBytes(child.pid as number) };
  } catch (error) {
    await stop();
    throw new Error(`workerd did not start: ${lines.join('\n')}`, { cause: error });
  }
}

function logged({ stdout, stderr }: ChildProcess): string[] {
  const lines: string[] = [];
  for (const output of [stdout, stderr])
    output?.setEncoding('utf8').on(
      'data',
      byLine((line) => lines.push(line)),
    );
  return lines;
}

function byLine(take: (line: string) => void): (piece: string) => void {
  let rest = '';
  return (piece) => {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  };
}

/** The ports, in the order of the isolates, once workerd has told all of them. */
function listening(child: ChildProcess, exited: Promise<void>, isolates: number): Promise<number[]> {
  const ports = new Map<string, number>();
  const control = child.stdio[CONTROL_FD] as Readable;
  return new Promise((resolve, reject) => {
    void exited.then(() => reject(new Error('it ended')));
    child.once('error', reject);
    control.setEncoding('utf8').on(
      'data',
      byLine((line) => {
        const told = JSON.parse(line) as { event: string; socket?: string; port: number };
        if (told.event === 'listen') ports.set(told.socket ?? '', told.port);
        if (ports.size === isolates) resolve(isolateNames(isolates).map((name) => ports.get(name) as number));
      }),
    );
  });
}

function residentBytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

function isolateNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `isolate-${index}`);
}

const ASSETS_SERVICE_PATH = fileURLToPath(new URL('assets-service.js', import.meta.url));

/** Embedded paths are relative to the configuration's own; strings are written as JSON's, which Cap'n Proto reads. */
function capnpConfig({ script, texts = {}, isolates = 1 }: WorkerdOptions, folder: string): string {
  const text = JSON.stringify;
  const names = isolateNames(isolates);
  const namespaces = script.objects.map(
    ({ className }) => `(className = ${text(className)}, uniqueKey = ${text(className)}, enableSql = true)`,
  );
  const paths = [script.wrapperPath, script.modulePath].filter((path) => path !== undefined);
  const modules = paths.map(
    (path) => `(name = ${text(basename(path))}, esModule = embed ${text(relative(folder, path))})`,
  );
  const ownBindings = Object.entries(texts).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`);
  const { assets } = script;
  if (assets) ownBindings.push(`(name = ${text(assets.binding)}, service = "assets")`);
  const worker = (name: string): string => {
    const objects = script.objects.map(({ binding, className }) => {
      const designator = `(className = ${text(className)}, serviceName = ${text(names[0])})`;
      return `(name = ${text(binding)}, durableObjectNamespace = ${designator})`;
    });
    const owner = `durableObjectNamespaces = [${namespaces.join(', ')}], durableObjectStorage = (localDisk = "disk"),`;
    return `(name = ${text(name)}, worker = (
      modules = [${modules.join(', ')}],
      compatibilityDate = ${text(script.compatibilityDate)},
      compatibilityFlags = [${script.compatibilityFlags.map((flag) => text(flag)).join(', ')}],
      bindings = [${[...ownBindings, ...objects].join(', ')}],
      globalOutbound = "net",
      ${name === names[0] && namespaces.length > 0 ? owner : ''}
    ))`;
  };
  const assetServices = assets
    ? [
        `(name = "assets", worker = (
      modules = [(name = "assets", esModule = embed ${text(relative(folder, ASSETS_SERVICE_PATH))})],
      compatibilityDate = ${text(script.compatibilityDate)},
      bindings = [(name = "FILES", service = "files")]
    ))`,
        `(name = "files", disk = (path = ${text(assets.folder)}))`,
      ]
    : [];
  const sockets = names.map(
    (name) => `(name = ${text(name)}, address = "127.0.0.1:0", http = (), service = ${text(name)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${[...names.map(worker), ...assetServices].join(',\n    ')},
    (name = "net", network = (allow = ["local", "private"])),
    (name = "disk", disk = (path = ${text(folder)}, writable = true))
  ],
  sockets = [${sockets.join(', ')}]
);
`;
}
