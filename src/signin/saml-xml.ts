/**
 * Small XML documents as trees: namespaces resolved, all of it bounded, nothing fetched or expanded.
 *
 * No document type, entity or processing instruction is taken. Comments are left out, and the texts
 * around one are joined, as canonical XML does it (W3C xml-exc-c14n §1.3): a reader that stops at a
 * comment would take `admin<!---->.guest` for `admin`.
 */
import sax from 'sax'
import { refuseSaml } from './saml-refusals.ts'

/** One element. Its attributes are those without a prefix; SAML's own never have one. */
export interface XmlElement {
  readonly uri: string
  readonly local: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** Its own text, without that of its children. */
  readonly text: string
}

interface Growing extends XmlElement {
  readonly children: Growing[]
  text: string
}

export interface XmlBounds {
  readonly charactersMax: number
  readonly elementsMax: number
  /** Of one element and of all, declarations of namespaces among them. */
  readonly attributesMax: number
  readonly attributesAllMax: number
  /** Comments, sections of CDATA, instructions: all that begins with `<!` or `<?`. */
  readonly asidesMax: number
}

const depthMax = 32
/** One tag, from its `<` to its `>`, with room for a few addresses. */
const tagCharactersMax = 16 * 1024
/** How much is handed to the parser at a time, and so how exactly the size of a tag is known. */
const sliceCharacters = 1024

/**
 * Room for 150 groups, which is all that Entra puts into an assertion, and as much again. The
 * library of signatures takes 0.1 ms for each element, and a time that grows with the square of their
 * number for comments; and whoever can begin a sign-in can post.
 */
export const messageBounds: XmlBounds = {
  charactersMax: 128 * 1024,
  elementsMax: 500,
  attributesMax: 16,
  attributesAllMax: 1_000,
  asidesMax: 16,
}

/**
 * Reads a whole document.
 * @throws {Fault} `no_identity`: `too_large` beyond a bound, `doctype` for a document type or
 *   entity anywhere in the text, `malformed` for what is not well-formed or has an instruction.
 *   Takes time in proportion to the text: whatever may not be is refused before more is read.
 */
export function readXml(text: string, bounds: XmlBounds = messageBounds): XmlElement {
  if (text.length > bounds.charactersMax) throw refuseSaml('too_large')
  if (/<!\s*(doctype|entity)/i.test(text)) throw refuseSaml('doctype')
  // In the text itself, not by the parser: it does not tell of empty comments. With these few, an
  // element has not many more pieces of text than it has children.
  if (countOf(/<[!?]/g, text) > bounds.asidesMax) throw refuseSaml('too_large')
  const { parser, root, tag } = grower(bounds)
  for (let at = 0; at < text.length; at += sliceCharacters) {
    parser.write(text.slice(at, at + sliceCharacters))
    // Looking at each attribute the parser compares it with all before it in its tag.
    if (tag.isOpen) tag.characters += sliceCharacters
    if (tag.characters > tagCharactersMax) throw refuseSaml('too_large')
  }
  parser.close()
  const [document] = root
  if (document === undefined) throw refuseSaml('malformed')
  return document
}

function countOf(pattern: RegExp, text: string): number {
  return text.match(pattern)?.length ?? 0
}

// `strictEntities`: XML's five, not those of HTML. Its types do not know it.
const strictly = { xmlns: true, position: false, strictEntities: true }

interface Grower {
  readonly parser: sax.SAXParser
  /** Where the root will be once all was written to it. */
  readonly root: readonly XmlElement[]
  /** The tag that was begun last: its name was read, its end perhaps not. */
  readonly tag: { isOpen: boolean; characters: number }
}

/** A strict parser and what grows of it. */
function grower(bounds: XmlBounds): Grower {
  const root: Growing[] = []
  const tag = { isOpen: false, characters: 0 }
  const open: Growing[] = []
  let elements = 0
  let attributes = 0
  const parser = sax.parser(true, strictly)
  parser.onerror = (cause) => {
    throw refuseSaml('malformed', cause)
  }
  parser.ondoctype = () => {
    throw refuseSaml('doctype')
  }
  parser.onprocessinginstruction = ({ name }) => {
    if (name !== 'xml' || elements > 0) throw refuseSaml('malformed')
  }
  parser.onopentagstart = () => void (tag.isOpen = true)
  parser.onopentag = (read) => {
    Object.assign(tag, { isOpen: false, characters: 0 })
    if (!('local' in read)) throw refuseSaml('malformed')
    const own = Object.values(read.attributes)
    attributes += own.length
    if (own.length > bounds.attributesMax || attributes > bounds.attributesAllMax) {
      throw refuseSaml('too_large')
    }
    const element = elementOf(read, own)
    const siblings = open.at(-1)?.children ?? root
    if (siblings === root && root.length > 0) throw refuseSaml('malformed')
    elements += 1
    if (elements > bounds.elementsMax || open.length >= depthMax) throw refuseSaml('too_large')
    siblings.push(element)
    open.push(element)
  }
  parser.onclosetag = () => void open.pop()
  const onText = (text: string): void => {
    const element = open.at(-1)
    if (element !== undefined) element.text += text
  }
  parser.ontext = onText
  parser.oncdata = onText
  return { parser, root, tag }
}

function elementOf(tag: sax.QualifiedTag, all: readonly sax.QualifiedAttribute[]): Growing {
  const own = all.filter(({ uri, prefix, name }) => uri === '' && prefix === '' && name !== 'xmlns')
  const attributes = new Map(own.map(({ local, value }) => [local, value]))
  return { uri: tag.uri, local: tag.local, attributes, children: [], text: '' }
}

/** The children of one name, in their order. */
export function childrenOf(element: XmlElement, uri: string, local: string): readonly XmlElement[] {
  return element.children.filter((child) => child.local === local && child.uri === uri)
}

/** The only child of a name; undefined where there is none, or more than one. */
export function onlyChild(element: XmlElement, uri: string, local: string): XmlElement | undefined {
  const found = childrenOf(element, uri, local)
  return found.length === 1 ? found[0] : undefined
}

/** An element and all below it, in document order. */
export function* everyElement(element: XmlElement): Generator<XmlElement> {
  yield element
  for (const child of element.children) yield* everyElement(child)
}

/** A text as it may stand in an attribute or element. Characters XML cannot have are left out. */
export function escapeXml(text: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (found) => named[found] ?? '').replace(/\p{Cc}/gu, '')
}
