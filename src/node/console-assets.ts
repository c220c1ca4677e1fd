import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { ConsoleAsset, ConsoleAssets } from '../http/console-page.ts';

/** The console's page as it was built, read once at the start. What is asked for is looked up by name, never by path. */
const FOLDER = new URL('../console/assets/', import.meta.url);

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export function consoleAssets(): ConsoleAssets {
  const names = readdirSync(FOLDER).filter((name) => extname(name) in CONTENT_TYPES);
  const assets = new Map(names.map((name) => [name, readAsset(name)]));
  return async (name) => assets.get(name) ?? null;
}

function readAsset(name: string): ConsoleAsset {
  const bytes = readFileSync(new URL(name, FOLDER));
  const etag = `"${hash('sha256', bytes, 'base64url').slice(0, 22)}"`;
  return { bytes, contentType: CONTENT_TYPES[extname(name)] ?? '', etag };
}
