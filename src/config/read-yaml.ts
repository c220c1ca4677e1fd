/**
 * YAML text → plain value, with `${NAME}` filled in and the line of every setting at hand. Anchors, aliases and `<<` work,
 * so that tenants can share a block. Any text whatever gives an answer: the one place that catches is here, around the
 * parser, whose recursion and whose alias counting throw on hostile input.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, Node, Scalar, YAMLError } from 'yaml';
import type { Environment, Problem } from './config.ts';
import { firstNoncharacter, substitute, unveil, veil } from './environment-references.ts';
import type { Fault, FaultPlace, Path } from './fault.ts';
import { explainYamlFault } from './yaml-faults.ts';

interface Source extends FaultPlace {
  readonly kind: 'source';
  readonly value: unknown;
  /** References that could not be filled in. */
  readonly faults: readonly Fault[];
  /** What YAML noticed without losing its way: keys written twice. */
  readonly problems: readonly Problem[];
}

export type YamlReading = Source | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] };

interface FoundScalar {
  readonly node: Scalar;
  readonly path: Path;
  readonly role: 'key' | 'value';
}

export function readYaml(text: string, environment: Environment): YamlReading {
  const noncharacter = firstNoncharacter(text);
  if (noncharacter >= 0) return unreadable(noncharacterProblem(text, noncharacter));
  const lines = new LineCounter();
  try {
    const options = {
      prettyErrors: false,
      merge: true,
      stringKeys: true,
      logLevel: 'error',
      lineCounter: lines,
    } as const;
    const document = parseDocument(veil(text), options);
    const complaints = [...document.errors, ...document.warnings];
    const problems = withoutRepeats(complaints.map((complaint) => syntaxProblem(complaint, lines)));
    if (complaints.some(({ code }) => code !== 'DUPLICATE_KEY')) return unreadable(...problems);
    const fromEnvironment = new Set<string>();
    const faults = findScalars(document).flatMap((found) => fillIn(found, environment, fromEnvironment));
    return {
      kind: 'source',
      value: document.toJS({ maxAliasCount: 10_000 }),
      faults,
      problems,
      lineOf: (path) => locate(document, path, lines),
      isFromEnvironment: (value) => fromEnvironment.has(value),
    };
  } catch {
    const mend = 'look for an alias (*name) without its anchor (&name), or a << without a mapping';
    return unreadable({ path: '', message: 'the file cannot be read as settings', mend });
  }
}

const unreadable = (...problems: readonly Problem[]): YamlReading => ({ kind: 'unreadable', problems });

function syntaxProblem({ code, pos }: YAMLError, lines: LineCounter): Problem {
  return { path: '', line: lines.linePos(pos[0]).line, ...explainYamlFault(code) };
}

function noncharacterProblem(text: string, offset: number): Problem {
  const line = text.slice(0, offset).split('\n').length;
  return {
    path: '',
    line,
    message: 'the line holds U+FDD0 or U+FDD1, which no text has',
    mend: 'remove the character',
  };
}

/** One missing bracket makes the parser complain of the same line several times. */
function withoutRepeats(problems: readonly Problem[]): Problem[] {
  const byText = new Map(problems.map((problem) => [`${problem.line} ${problem.message}`, problem]));
  return [...byText.values()];
}

/** Each scalar once, even where aliases repeat it. */
function findScalars(document: Document.Parsed): FoundScalar[] {
  const found: FoundScalar[] = [];
  visit(document, {
    Scalar(key, node, ancestors) {
      found.push({ node, path: pathOf(key, ancestors), role: key === 'key' ? 'key' : 'value' });
    },
  });
  return found;
}

function pathOf(key: number | 'key' | 'value' | null, ancestors: readonly unknown[]): Path {
  const path: (string | number)[] = [];
  ancestors.forEach((ancestor, depth) => {
    const next = ancestors[depth + 1];
    if (isSeq(ancestor)) path.push(next === undefined ? Number(key) : ancestor.items.indexOf(next));
    else if (isMap(ancestor)) {
      const pair = ancestor.items.find((item) => item === next);
      if (pair) path.push(keyText(pair.key));
    }
  });
  return path;
}

const keyText = (key: unknown): string => unveil(String(isScalar(key) ? key.value : key));

function fillIn({ node, path, role }: FoundScalar, environment: Environment, fromEnvironment: Set<string>): Fault[] {
  if (typeof node.value !== 'string') return [];
  const text = unveil(node.value);
  node.value = text;
  if (role === 'key') return [];
  const substitution = substitute(text, environment);
  if (substitution.kind === 'unset') return substitution.names.map((name) => unsetFault(path, name));
  if (substitution.kind === 'malformed') return [malformedFault(path)];
  if (substitution.kind === 'substituted') {
    node.value = substitution.text;
    if (substitution.fromEnvironment) fromEnvironment.add(substitution.text);
  }
  return [];
}

const unsetFault = (at: Path, name: string): Fault => ({
  at,
  phrase: `refers to \${${name}}, which is not set in the environment`,
  mend: `set ${name}, or write $\${ if the text is meant as it is`,
});

const malformedFault = (at: Path): Fault => ({
  at,
  phrase: 'has a ${ that begins no reference',
  mend: 'write ${NAME} with letters, digits and underscores only (no default after it), or $${ for the text itself',
});

/** The line of a setting, or of the nearest thing around it that is in the file. */
function locate(document: Document.Parsed, path: Path, lines: LineCounter): number | undefined {
  let node: unknown = document.contents;
  let line = lineOfNode(node, lines);
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => keyText(key) === String(part));
      if (!pair) return line;
      line = lineOfNode(pair.key, lines) ?? line;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      line = lineOfNode(node, lines) ?? line;
    } else return line;
  }
  return line;
}

function lineOfNode(node: unknown, lines: LineCounter): number | undefined {
  const range = (node as Node | null | undefined)?.range;
  return range ? lines.linePos(range[0]).line : undefined;
}
