// Documents that are in no backup: the empty side of a comparison, what a link leads to, the report of a restore. Text only, kept as
// long as there are few of them.

import { type TextDocumentContentProvider, Uri } from "vscode";

export const TEXT_SCHEME = "reprise-text";
const MAX_KEPT = 200;

export class PlainDocuments implements TextDocumentContentProvider {
  readonly #texts = new Map<string, string>();
  #next = 1;

  provideTextDocumentContent({ path }: Uri): string {
    return this.#texts.get(path) ?? "";
  }

  /** `name`: what the editor shows, and by whose ending it chooses the language. */
  add(name: string, text: string): Uri {
    const path = `/${this.#next++}/${name.replaceAll("/", "_")}`;
    if (text !== "") this.#texts.set(path, text);
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= MAX_KEPT) break;
      this.#texts.delete(oldest);
    }
    return Uri.from({ scheme: TEXT_SCHEME, path });
  }

  empty(name: string): Uri {
    return this.add(name, "");
  }
}
