// XML of unknown origin as a small tree. The only file that knows the package fast-xml-parser. No document types, no
// entities but the five of XML itself, bounded nesting: docs/adr/0052-fast-xml-parser.md.

const MAX_DEPTH = 32;
const ATTRIBUTES = ":@";
const TEXT = "#text";
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

export interface XmlElement {
  readonly name: string;
  /** Undefined: not given. */
  attribute(name: string): string | undefined;
  /** All children of that name, in their order; every child without one. */
  children(name?: string): readonly XmlElement[];
  /** The first child of that name, then its first child of the next, and so on; undefined: there is none. */
  child(...path: string[]): XmlElement | undefined;
  /** Its own text, trimmed. */
  readonly text: string;
}

/** The element at the root. Throws an Error, of ours or the package's, for anything that is no such XML. */
export async function readXml(text: string, maxChars: number): Promise<XmlElement> {
  if (text.length > maxChars) throw new Error(`it is larger than ${maxChars} characters`);
  if (/<!(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)/i.test(text)) throw new Error("it has a document type declaration");
  const { XMLParser, XMLValidator } = await import("fast-xml-parser");
  const verdict = XMLValidator.validate(text);
  if (verdict !== true) throw new Error(`line ${verdict.err.line}: ${verdict.err.msg}`);
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: "",
    parseTagValue: false,
    parseAttributeValue: false,
    processEntities: false,
    trimValues: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
    maxNestedTags: MAX_DEPTH,
  });
  const roots = elementsOf(parser.parse(text));
  if (roots.length !== 1) throw new Error(`it has ${roots.length} elements at its root`);
  return roots[0]!;
}

type RawNode = Readonly<Record<string, unknown>>;

function elementsOf(nodes: unknown): ParsedElement[] {
  if (!Array.isArray(nodes)) return [];
  return (nodes as RawNode[]).flatMap((node) => {
    const name = Object.keys(node).find((key) => key !== ATTRIBUTES && key !== TEXT);
    return name === undefined ? [] : [new ParsedElement(name, node)];
  });
}

class ParsedElement implements XmlElement {
  readonly name: string;
  readonly #attributes: RawNode;
  readonly #nodes: unknown;
  #children: readonly ParsedElement[] | undefined;

  constructor(name: string, node: RawNode) {
    this.name = name;
    this.#attributes = (node[ATTRIBUTES] as RawNode | undefined) ?? {};
    this.#nodes = node[name];
  }

  attribute(name: string): string | undefined {
    const value = Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined;
    return typeof value === "string" ? decodeEntities(value) : undefined;
  }

  children(name?: string): readonly XmlElement[] {
    this.#children ??= elementsOf(this.#nodes);
    return name === undefined ? this.#children : this.#children.filter((child) => child.name === name);
  }

  child(...path: string[]): XmlElement | undefined {
    const [first, ...rest] = path;
    const found = this.children(first)[0];
    return rest.length === 0 ? found : found?.child(...rest);
  }

  get text(): string {
    if (!Array.isArray(this.#nodes)) return "";
    const parts = (this.#nodes as RawNode[]).map((node) => node[TEXT]).filter((part) => typeof part === "string");
    return decodeEntities(parts.join("")).trim();
  }
}

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[String(name).toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
