/** Our words for what the YAML reader finds: its own may quote the file. */
import type { ErrorCode } from 'yaml'

export const yamlHelp: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias cannot have an anchor or tag of its own',
  BAD_ALIAS: 'this alias names no anchor above it, or is misspelled',
  BAD_COLLECTION_TYPE: 'this tag does not fit what follows it',
  BAD_DIRECTIVE: 'this line begins with % but is no directive',
  BAD_DQ_ESCAPE: 'this escape does not exist in double quotes; use single quotes or \\\\',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'anchors and tags stand before the value',
  BAD_SCALAR_START: 'a plain text cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a nested mapping cannot be a key; is a line break or a quote missing?',
  BLOCK_IN_FLOW: 'inside { } and [ ] everything is separated by commas, not by indentation',
  DUPLICATE_KEY: 'this key stands twice in one mapping; take one out',
  IMPOSSIBLE: 'the text cannot be read as YAML here',
  KEY_OVER_1024_CHARS: 'this key is longer than 1024 characters; is a quote missing?',
  MISSING_CHAR: 'a character is missing here: a closing quote or bracket, a comma, or a blank',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a colon or a quote missing above?',
  MULTIPLE_ANCHORS: 'a value has one anchor at most',
  MULTIPLE_DOCS: 'a second document begins here; one file holds one configuration',
  MULTIPLE_TAGS: 'a value has one tag at most',
  NON_STRING_KEY: 'keys are plain texts',
  RESOURCE_EXHAUSTION: 'the file nests too deeply',
  TAB_AS_INDENT: 'a tab cannot indent; use blanks',
  TAG_RESOLVE_FAILED: 'this tag is not known; take it out',
  UNEXPECTED_TOKEN: 'this does not belong here; is a quote, colon or comma missing before it?',
}
