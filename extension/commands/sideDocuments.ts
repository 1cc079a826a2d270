// The two documents of a comparison: files of backups where there are any, otherwise a text that says what is there.

import { commands, env, type Uri } from "vscode";
import type { PlainDocuments } from "../files/plainDocuments.js";
import { lastName, shortened } from "../model/shownName.js";
import { dateAndTime } from "../model/words.js";
import type { EntryData } from "../service/protocol.js";
import { type ChosenPlace, placeUri } from "../views/places.js";
import type { PlaceChooser } from "./chosenPlace.js";

/** One side; null: it is not there. */
export interface DiffSide {
  place: ChosenPlace;
  /** What people know it by: a time, a machine. */
  label: string;
}

export class SideDocuments {
  readonly #documents: PlainDocuments;
  readonly #places: PlaceChooser;

  constructor(documents: PlainDocuments, places: PlaceChooser) {
    this.#documents = documents;
    this.#places = places;
  }

  /** `name (A ↔ B)`, with what is not there as an empty document. */
  async open(left: DiffSide | null, right: DiffSide | null): Promise<void> {
    const name = shortened(lastName((right ?? left)?.place.path ?? ""), 80);
    const [before, after] = [left, right].map((side) => side?.label ?? "–");
    const uris = [await this.#uriOf(left, name), await this.#uriOf(right, name)] as const;
    await this.openUris(...uris, `${name} (${before} ↔ ${after})`);
  }

  async openUris(left: Uri, right: Uri, title: string): Promise<void> {
    await commands.executeCommand("vscode.diff", left, right, title, { preview: true });
  }

  /** What is known of the two beside their contents: mode, time, owner. */
  async openFacts(left: DiffSide, right: DiffSide, differs: string): Promise<void> {
    const name = shortened(lastName(right.place.path), 80);
    const texts = await Promise.all([left, right].map(async ({ place }) => factsText(await this.#entryOf(place))));
    const [before, after] = texts.map((text) => this.#documents.add(`${name}.txt`, text)) as [Uri, Uri];
    await this.openUris(before, after, `${name}: ${differs} (${left.label} ↔ ${right.label})`);
  }

  async #uriOf(side: DiffSide | null, name: string): Promise<Uri> {
    if (side === null) return this.#documents.empty(name);
    const entry = await this.#entryOf(side.place);
    if (entry.kind === "file") return placeUri({ ...side.place, path: entry.path });
    return this.#documents.add(name, factsText(entry));
  }

  async #entryOf({ configured, snapshot, path }: ChosenPlace): Promise<EntryData> {
    return await this.#places.stat(configured, snapshot, path);
  }
}

function factsText({ kind, sizeBytes, mode, modifiedAtMs, target }: EntryData): string {
  const lines = [`kind: ${kind}`];
  if (target !== null) lines.push(`target: ${target}`);
  if (kind === "file") lines.push(`size: ${sizeBytes ?? 0}`);
  if (mode !== null) lines.push(`mode: ${(mode & 0o7777).toString(8).padStart(4, "0")}`);
  if (modifiedAtMs !== null) lines.push(`modified: ${dateAndTime(modifiedAtMs, env.language)}`);
  return `${lines.join("\n")}\n`;
}
