import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';

/**
 * A PromQL expression as the names in it, read by the grammar of Prometheus' own editor. It finds what isn't PromQL; types
 * (a rate of something without a range) are promtool's business.
 */
export interface Expression {
  /** Where the text is not PromQL, in its own words. */
  readonly errors: readonly string[];
  readonly selectors: readonly Selector[];
  readonly groupings: readonly Grouping[];
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** As it stands, without range and offset. */
  readonly text: string;
}

export interface Matcher {
  readonly label: string;
  readonly value: string;
}

/** The labels that an aggregation keeps, and the selectors it has them from. */
export interface Grouping {
  readonly labels: readonly string[];
  readonly selectors: readonly Selector[];
}

/** @param text without the variables of Grafana. */
export function readExpression(text: string): Expression {
  const root = parser.parse(text).topNode;
  const of = (node: SyntaxNode): string => text.slice(node.from, node.to);
  const unquoted = (node: SyntaxNode | null): string => (node ? (JSON.parse(of(node)) as string) : '');
  const selectorsIn = (node: SyntaxNode): Selector[] =>
    all(node, 'VectorSelector').map((selector) => ({
      metric: of(one(selector, 'Identifier') ?? selector),
      matchers: all(selector, 'UnquotedLabelMatcher').map((matcher) => ({
        label: of(one(matcher, 'LabelName') ?? matcher),
        value: unquoted(one(matcher, 'StringLiteral')),
      })),
      text: of(selector),
    }));
  return {
    errors: allWhere(root, (node) => node.type.isError).map((node) => `at ${node.from}: ${text.slice(node.from)}`),
    selectors: selectorsIn(root),
    groupings: all(root, 'AggregateExpr').flatMap((aggregate) => {
      const modifier = aggregate.getChild('AggregateModifier');
      if (!modifier) return [];
      return { labels: all(modifier, 'LabelName').map(of), selectors: selectorsIn(aggregate) };
    }),
  };
}

function all(node: SyntaxNode, name: string): SyntaxNode[] {
  return allWhere(node, (one) => one.name === name);
}

function one(node: SyntaxNode, name: string): SyntaxNode | null {
  return all(node, name)[0] ?? null;
}

/** The node itself and all below it, in the order of the text. */
function allWhere(node: SyntaxNode, isWanted: (node: SyntaxNode) => boolean): SyntaxNode[] {
  const found = isWanted(node) ? [node] : [];
  for (let child = node.firstChild; child; child = child.nextSibling) found.push(...allWhere(child, isWanted));
  return found;
}
