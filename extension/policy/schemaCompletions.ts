// Keys of reprise.yml and of specs, and values that are listed, from our own schemas: as long as no extension is there that
// completes YAML by schemas itself.

import {
  type CancellationToken,
  CompletionItem,
  CompletionItemKind,
  type CompletionItemProvider,
  extensions,
  type Position,
  Range,
  type TextDocument,
  Uri,
  workspace,
} from "vscode";
import { kindOfName } from "../model/policyNames.js";
import { isKeyPlace, keysAt, type Proposal, type SchemaNode, siblingsAt, valuesAt } from "../model/schemaHelp.js";
import { type YamlPlace, yamlPlaceAt } from "../model/yamlPlace.js";
import { isOurs } from "./policies.js";

/** Completes by `yamlValidation`, which our manifest declares. */
const YAML_EXTENSION = "redhat.vscode-yaml";

export class SchemaCompletions implements CompletionItemProvider {
  readonly #folder: Uri;
  readonly #schemas = new Map<string, Promise<SchemaNode>>();

  /** `extensionUri`: of the installed extension. */
  constructor(extensionUri: Uri) {
    this.#folder = Uri.joinPath(extensionUri, "schemas");
  }

  async provideCompletionItems(
    document: TextDocument,
    position: Position,
    token: CancellationToken,
  ): Promise<CompletionItem[]> {
    if (document.languageId !== "yaml" || !isOurs(document) || extensions.getExtension(YAML_EXTENSION) !== undefined)
      return [];
    const isPolicy = kindOfName(document.uri.path) === "policy";
    const schema = await this.#schema(isPolicy ? "reprise.json" : "restore-test.json");
    if (token.isCancellationRequested) return [];
    const lines = document.getText().split(/\r?\n/);
    const place = yamlPlaceAt(lines, position.line, position.character);
    if (!isKeyPlace(lines[position.line] ?? "", position.character, place))
      return valuesAt(schema, place).map((value) =>
        item(value, value.text, CompletionItemKind.EnumMember, place, position),
      );
    const siblings = siblingsAt(lines, position.line, position.character);
    return keysAt(schema, place, siblings).map((key) =>
      item(
        key,
        place.onKey ? key.text : `${key.text}:${key.holds === "value" ? " " : ""}`,
        CompletionItemKind.Property,
        place,
        position,
      ),
    );
  }

  #schema(name: string): Promise<SchemaNode> {
    const known = this.#schemas.get(name);
    if (known !== undefined) return known;
    const reading = Promise.resolve(workspace.fs.readFile(Uri.joinPath(this.#folder, name))).then(
      (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as SchemaNode,
    );
    this.#schemas.set(name, reading);
    reading.catch(() => this.#schemas.delete(name));
    return reading;
  }
}

function item(
  { text, description }: Proposal,
  insert: string,
  kind: CompletionItemKind,
  { start, end }: YamlPlace,
  { line }: Position,
): CompletionItem {
  const made = new CompletionItem(text, kind);
  made.insertText = insert;
  made.documentation = description;
  made.range = new Range(line, start, line, end);
  return made;
}
