// YAML of unknown origin → plain values with the place of each. The only file that knows the package yaml. Bounded: size,
// nesting (counted before anything recurses), values, aliases. No tags, no merge keys: docs/adr/0050-yaml.md.

import type { Document, Node, Pair, ParsedNode, Scalar } from "yaml";
import type { FileProblem, Place } from "./problems.js";

export const MAX_YAML_CHARS = 1024 * 1024;
const MAX_DEPTH = 32;
const MAX_DOCUMENTS = 64;
const MAX_ALIASES = 100;
/** Anchors, aliases and tags: many of them on one value take the parser long. */
const MAX_MARKS = 500;
/** Words, blanks, signs: some four of them make a field. Parsing this many takes about a second. */
const MAX_LEXEMES = 200_000;
const MAX_VALUES = 50_000;
const MAX_KEY_CHARS = 200;
const MAX_PROBLEMS = 100;
/** Each level of YAML takes up to three entries of the parser's stack. */
const MAX_PARSER_STACK = 3 * MAX_DEPTH + 8;
const CORE_TAG = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;

/** Objects have no prototype. */
export type PlainValue = string | number | boolean | null | PlainValue[] | { [key: string]: PlainValue };

export interface YamlDocument {
  value: PlainValue;
  /** Of a key or a value by JSON pointer; of one that is not there, its nearest parent's. */
  placeOf(path: string, part: "key" | "value"): Place;
}

export interface YamlOptions {
  /** Keys whose scalars are texts as they are written: `equals: 007` means "007", not 7. Holds in lists below the key, too. */
  textKeys: ReadonlySet<string>;
}

/** Documents without contents (empty, or comments only) are left out. With any problem, documents may be incomplete. */
export async function readYamlDocuments(
  text: string,
  options: YamlOptions,
): Promise<{ documents: YamlDocument[]; problems: FileProblem[] }> {
  const problems: FileProblem[] = [];
  if (text.length > MAX_YAML_CHARS) {
    problems.push({ line: 1, column: 1, path: "", message: "the file is larger than 1 MiB" });
    return { documents: [], problems };
  }
  const yaml = await import("yaml");
  const lines = new LineTable(text);
  const complain = (offset: number, message: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ ...lines.place(offset), path: "", message });
  };
  const documents: YamlDocument[] = [];
  for (const parsed of parse(yaml, text, complain)) {
    for (const { pos, message } of parsed.errors.slice(0, MAX_PROBLEMS)) complain(pos[0], sentence(message));
    if (parsed.errors.length > 0 || parsed.contents === null) continue;
    if (yaml.isScalar(parsed.contents) && parsed.contents.value === null) continue;
    documents.push(new DocumentWalk(yaml, lines, options, complain).read(parsed.contents));
  }
  return { documents, problems };
}

type Yaml = typeof import("yaml");
type Complain = (offset: number, message: string) => void;

type Token = Parameters<Yaml["Composer"]["prototype"]["next"]>[0];

/** Stops before anything takes long or recurses deep. */
function readTokens(yaml: Yaml, text: string, complain: Complain): Token[] {
  const parser = new yaml.Parser();
  const tokens: Token[] = [];
  let [lexemes, marks] = [0, 0];
  for (const lexeme of new yaml.Lexer().lex(text)) {
    if (/^[&*!]/.test(lexeme)) marks++;
    lexemes++;
    if (marks > MAX_MARKS || lexemes > MAX_LEXEMES) {
      complain(parser.offset, marks > MAX_MARKS ? "too many anchors, aliases and tags" : "too many values");
      return [];
    }
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > MAX_PARSER_STACK) {
      complain(parser.offset, `nested more than ${MAX_DEPTH} levels deep`);
      return [];
    }
  }
  tokens.push(...parser.end());
  return tokens;
}

/** What the package does not take for a mistake of the text (a stack that overflows) is one for us. */
function parse(yaml: Yaml, text: string, complain: Complain): Document.Parsed<ParsedNode>[] {
  try {
    return compose(yaml, text, complain);
  } catch (error) {
    complain(0, `the file cannot be read as YAML: ${String(error)}`);
    return [];
  }
}

function compose(yaml: Yaml, text: string, complain: Complain): Document.Parsed<ParsedNode>[] {
  // duplicate keys are found by our own walk: the package compares each key with all others
  const composer = new yaml.Composer({ version: "1.2", uniqueKeys: false, merge: false, strict: true });
  const documents: Document.Parsed<ParsedNode>[] = [];
  for (const document of composer.compose(readTokens(yaml, text, complain))) {
    documents.push(document as Document.Parsed<ParsedNode>);
    if (documents.length > MAX_DOCUMENTS) {
      complain(document.range[0], `more than ${MAX_DOCUMENTS} documents in one file`);
      return [];
    }
  }
  return documents;
}

class DocumentWalk {
  readonly #yaml: Yaml;
  readonly #lines: LineTable;
  readonly #options: YamlOptions;
  readonly #complain: Complain;
  readonly #anchors = new Map<string, Node>();
  readonly #offsets = new Map<string, { key: number; value: number }>();
  #aliases = 0;
  #values = 0;

  constructor(yaml: Yaml, lines: LineTable, options: YamlOptions, complain: Complain) {
    this.#yaml = yaml;
    this.#lines = lines;
    this.#options = options;
    this.#complain = complain;
  }

  read(contents: Node): YamlDocument {
    const value = this.#value(contents, "", offsetOf(contents, 0), { depth: 0, isText: false });
    return { value, placeOf: (path, part) => this.#placeOf(path, part) };
  }

  #placeOf(path: string, part: "key" | "value"): Place {
    for (let at = path; ; at = at.slice(0, at.lastIndexOf("/"))) {
      const offsets = this.#offsets.get(at);
      // of a value that is missing, its parent is shown where people look for it: at the key
      if (offsets) return this.#lines.place(at === path ? offsets[part] : offsets.key);
      if (at === "") return { line: 1, column: 1 };
    }
  }

  #value(node: unknown, path: string, keyOffset: number, where: { depth: number; isText: boolean }): PlainValue {
    const offset = offsetOf(node, keyOffset);
    this.#offsets.set(path, { key: keyOffset, value: offset });
    this.#values++;
    if (this.#values > MAX_VALUES || where.depth > MAX_DEPTH) {
      const why = where.depth > MAX_DEPTH ? `nested more than ${MAX_DEPTH} levels deep` : "too many values";
      if (this.#values <= MAX_VALUES + 1) this.#complain(offset, why);
      return null;
    }
    const { isAlias, isMap, isScalar, isSeq } = this.#yaml;
    if (isAlias(node)) {
      this.#aliases++;
      const target = this.#anchors.get(node.source);
      if (target && this.#aliases <= MAX_ALIASES) return this.#value(target, path, keyOffset, deeper(where));
      this.#complain(
        offset,
        target
          ? "too many aliases"
          : `*${node.source}: no such anchor before it; a text that begins with * needs quotes`,
      );
      return null;
    }
    this.#checkTag(node, offset);
    if (isScalar(node)) return this.#remember(node, this.#scalar(node, where.isText, offset));
    if (isSeq(node)) {
      const items = node.items.map((item, i) =>
        this.#value(item, `${path}/${i}`, offsetOf(item, offset), deeper(where)),
      );
      return this.#remember(node, items);
    }
    if (isMap(node)) return this.#remember(node, this.#map(node.items as Pair[], path, offset, where.depth));
    return null;
  }

  /** Known under its anchor only when it has ended: an alias inside its own anchor finds nothing. */
  #remember(node: Node, value: PlainValue): PlainValue {
    const anchor = (node as { anchor?: string }).anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    return value;
  }

  #map(pairs: readonly Pair[], path: string, mapOffset: number, depth: number): PlainValue {
    const map: { [key: string]: PlainValue } = Object.create(null);
    for (const pair of pairs) {
      const offset = offsetOf(pair.key, mapOffset);
      const key = this.#key(pair.key, offset);
      if (key === null) continue;
      if (Object.hasOwn(map, key)) this.#complain(offset, `"${key}" is given twice`);
      else {
        const isText = this.#options.textKeys.has(key);
        map[key] = this.#value(pair.value, `${path}/${pointerPart(key)}`, offset, { depth: depth + 1, isText });
      }
    }
    return map;
  }

  #key(node: unknown, offset: number): string | null {
    if (!this.#yaml.isScalar(node)) {
      this.#complain(offset, "a key must be a word");
      return null;
    }
    const key = typeof node.value === "string" ? node.value : (node.source ?? "");
    if (key === "<<") {
      this.#complain(offset, "merge keys (<<) are not read: values given below spec hold for all its machines");
      return null;
    }
    if (key.length > MAX_KEY_CHARS) this.#complain(offset, "this key is too long");
    return key.length > MAX_KEY_CHARS ? null : key;
  }

  #scalar(node: Scalar, isText: boolean, offset: number): PlainValue {
    const { value } = node;
    if (typeof value === "string" || value === null) return value;
    if (isText && (typeof value === "number" || typeof value === "boolean")) return node.source ?? String(value);
    if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return value;
    this.#complain(offset, "only texts, whole numbers, true, false and null are read here");
    return null;
  }

  #checkTag(node: unknown, offset: number): void {
    const tag = (node as { tag?: string } | null)?.tag;
    if (tag !== undefined && !CORE_TAG.test(tag)) this.#complain(offset, `the tag ${tag} is not read`);
  }
}

function deeper(where: { depth: number; isText: boolean }): { depth: number; isText: boolean } {
  return { ...where, depth: where.depth + 1 };
}

function offsetOf(node: unknown, otherwise: number): number {
  return (node as { range?: readonly number[] } | null)?.range?.[0] ?? otherwise;
}

export function pointerPart(key: string): string {
  return key.replace(/~/g, "~0").replace(/\//g, "~1");
}

/** The package's messages start in capitals and end with advice to its own callers. */
function sentence(message: string): string {
  if (/^unexpected alias/i.test(message)) return "a text that begins with * needs quotes";
  return message.slice(0, 1).toLowerCase() + message.slice(1).replace(/ at line \d+, column \d+[\s\S]*$/, "");
}

class LineTable {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  place(offset: number): Place {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#starts[low]! + 1 };
  }
}
