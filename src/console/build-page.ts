import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * `node src/console/build-page.ts`: the console's page as the gateway serves it, three files under assets/, which are
 * committed so that nobody needs a build to run it. The same source gives the same bytes. With `--check` nothing is
 * written, and the exit code is 1 where the committed files are not what the source gives.
 */
const here = (path: string): URL => new URL(path, import.meta.url);
const pathOf = (path: string): string => fileURLToPath(here(path));

async function builtPage(): Promise<Readonly<Record<string, string>>> {
  const { outputFiles } = await build({
    entryPoints: { app: pathOf('page/main.tsx'), style: pathOf('page/style/app.css') },
    absWorkingDir: pathOf('page'),
    outdir: pathOf('assets'),
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: ['chrome111', 'firefox113', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    banner: { js: licences() },
  });
  const [script, style] = outputFiles.toSorted((one, other) => one.path.localeCompare(other.path));
  return {
    'index.html': readFileSync(here('page/index.html'), 'utf8'),
    'app.js': script?.text ?? '',
    'app.css': style?.text ?? '',
  };
}

/** Both libraries ask for their notice in every copy. */
function licences(): string {
  const notices = ['preact', 'uplot'].map((name) => {
    const text = readFileSync(here(`../../node_modules/${name}/LICENSE`), 'utf8').trim();
    return `${name}\n\n${text}`;
  });
  return `/*!\n${notices.join('\n\n')}\n*/`;
}

function isCurrent([name, content]: readonly [string, string]): boolean {
  const file = here(`assets/${name}`);
  return existsSync(file) && readFileSync(file, 'utf8') === content;
}

const page = Object.entries(await builtPage());
if (process.argv.includes('--check')) {
  const stale = page.filter((file) => !isCurrent(file)).map(([name]) => `src/console/assets/${name}`);
  if (stale.length > 0) {
    process.stderr.write(`Not what the source gives: ${stale.join(', ')}. Run npm run build:console.\n`);
    process.exitCode = 1;
  }
} else {
  mkdirSync(here('assets'), { recursive: true });
  for (const [name, content] of page) writeFileSync(here(`assets/${name}`), content);
}
