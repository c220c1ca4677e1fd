import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { WorkerScript } from './workerd.ts';

/**
 * The worker exactly as `wrangler deploy` would upload it, built once for a state of the sources and kept beside the
 * installed packages. Whoever comes second finds it; two at once build it twice and one result stays.
 */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(ROOT, 'node_modules/.cache/slipstream-worker');
const SETTINGS_PATH = join(ROOT, 'wrangler.toml');

const KEPT_MS = 60 * 60_000;

/** With these wrangler connects to nothing: no telemetry, no cf.json, no look for a newer version. */
const OFFLINE = { WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_HIDE_BANNER: 'true' };

export interface WorkerBundle {
  readonly script: WorkerScript;
  readonly bytes: Buffer;
}

export async function buildWorker(): Promise<WorkerBundle> {
  const folder = join(CACHE, sourcesKey());
  if (!existsSync(folder)) await buildInto(folder);
  const name = readdirSync(folder).find((file) => file.endsWith('.js'));
  if (name === undefined) throw new Error(`wrangler wrote no module into ${folder}`);
  const modulePath = join(folder, name);
  return { script: { modulePath, ...readSettings() }, bytes: readFileSync(modulePath) };
}

async function buildInto(folder: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  forgetOld();
  const building = mkdtempSync(join(CACHE, 'building-'));
  const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
  try {
    await promisify(execFile)(
      process.execPath,
      [wrangler, 'deploy', '--dry-run', '--minify', '--config', SETTINGS_PATH, '--outdir', building],
      { cwd: ROOT, env: { ...process.env, ...OFFLINE, WRANGLER_LOG_PATH: join(building, 'logs') } },
    );
    renameSync(building, folder);
  } catch (error) {
    rmSync(building, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
}

/** What no run that is still going can have begun with. */
function forgetOld(): void {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

function sourcesKey(): string {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:[jt]s|json|html)$/.test(path))
    .sort();
  const key = createHash('sha256');
  for (const path of [...sources.map((source) => join('src', source)), 'wrangler.toml', 'package-lock.json']) {
    const { mtimeMs, size } = statSync(join(ROOT, path));
    key.update(`${path} ${mtimeMs} ${size}\n`);
  }
  return key.digest('hex').slice(0, 16);
}

/** What the runtime is told beside the module: read from the settings that production is deployed with. */
function readSettings(): Omit<WorkerScript, 'modulePath'> {
  const text = readFileSync(SETTINGS_PATH, 'utf8');
  const [, compatibilityDate = ''] = /^compatibility_date = "([^"]+)"/m.exec(text) ?? [];
  const [, flags = ''] = /^compatibility_flags = \[([^\]]*)\]/m.exec(text) ?? [];
  const [, folder = '', assetsBinding = ''] =
    /^\[assets\]\ndirectory = "([^"]+)"\nbinding = "([^"]+)"/m.exec(text) ?? [];
  const bindings = text.matchAll(/^\[\[durable_objects\.bindings\]\]\s+name = "([^"]+)"\s+class_name = "([^"]+)"/gm);
  return {
    compatibilityDate,
    compatibilityFlags: [...flags.matchAll(/"([^"]+)"/g)].map(([, flag]) => flag as string),
    objects: [...bindings].map(([, binding, className]) => ({
      binding: binding as string,
      className: className as string,
    })),
    assets: { binding: assetsBinding, folder: join(ROOT, folder) },
  };
}
