/**
 * What the YAML parser can complain of, in our words, by its closed set of codes. Its own messages are not used:
 * several quote the text they stumble over, which may be a key.
 */
import type { ErrorCode } from 'yaml';

interface YamlFault {
  readonly message: string;
  readonly mend: string;
}

const ANCHOR: YamlFault = {
  message: 'an anchor (&), an alias (*) or a tag (!) is used in a way that YAML does not allow',
  mend: 'put the value in quotes if it merely begins with that sign',
};
const SHAPE: YamlFault = {
  message: 'the line does not fit into the structure around it',
  mend: 'look at the indentation and at the brackets, here and in the line before',
};
const SIGN: YamlFault = {
  message: 'a value begins or ends with a sign that means something to YAML',
  mend: 'put the value in quotes',
};

const FAULTS: Readonly<Record<ErrorCode, YamlFault>> = {
  ALIAS_PROPS: ANCHOR,
  BAD_ALIAS: ANCHOR,
  BAD_PROP_ORDER: ANCHOR,
  MULTIPLE_ANCHORS: ANCHOR,
  MULTIPLE_TAGS: ANCHOR,
  TAG_RESOLVE_FAILED: ANCHOR,
  BAD_COLLECTION_TYPE: ANCHOR,
  BAD_DIRECTIVE: { message: 'the line begins with %, which YAML keeps for directives', mend: 'remove the line' },
  BAD_DQ_ESCAPE: {
    message: 'a backslash in double quotes is not followed by a known escape',
    mend: 'double the backslash, or use single quotes',
  },
  BAD_INDENT: SHAPE,
  BLOCK_AS_IMPLICIT_KEY: SHAPE,
  BLOCK_IN_FLOW: SHAPE,
  MULTILINE_IMPLICIT_KEY: SHAPE,
  NON_STRING_KEY: SHAPE,
  KEY_OVER_1024_CHARS: SHAPE,
  IMPOSSIBLE: SHAPE,
  UNEXPECTED_TOKEN: SHAPE,
  BAD_SCALAR_START: SIGN,
  MISSING_CHAR: {
    message: 'a sign is missing: a quote, a bracket, a comma, or the space after a colon',
    mend: 'add it, here or in the line before',
  },
  DUPLICATE_KEY: { message: 'this setting is written twice in the same mapping', mend: 'remove one of the two' },
  MULTIPLE_DOCS: { message: 'a second YAML document begins here', mend: 'remove the line with ---' },
  RESOURCE_EXHAUSTION: { message: 'the nesting is too deep', mend: 'remove the brackets that are not needed' },
  TAB_AS_INDENT: { message: 'the line is indented with a tab', mend: 'indent with spaces' },
};

export const explainYamlFault = (code: ErrorCode): YamlFault => FAULTS[code] ?? SHAPE;
