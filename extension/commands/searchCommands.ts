// Commands that search: files by name in a snapshot or all of a machine's, text in the files of a snapshot. The editor's own search
// cannot look into a file system of an extension.

import { commands, env, l10n, ProgressLocation, window } from "vscode";
import { isAbort, withSignal } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import { commandLine } from "../model/commandLine.js";
import { expandLocation } from "../model/location.js";
import { textFaultWords } from "../model/searchWords.js";
import { messageText, shortened } from "../model/shownName.js";
import { dateAndTime } from "../model/words.js";
import type { CallOptions, ServiceClient } from "../service/client.js";
import type { SearchHit, SearchSummary } from "../service/searchProtocol.js";
import type { MoreHitsNode, Search, SearchTree } from "../views/searchTree.js";
import type { Given, PlaceChooser } from "./chosenPlace.js";
import { copyWithWord } from "./runningThings.js";

type SearchPlace = Omit<Search, "kind" | "wanted" | "files">;

export class SearchCommands {
  readonly #client: ServiceClient;
  readonly #places: PlaceChooser;
  readonly #tree: SearchTree;

  constructor(client: ServiceClient, places: PlaceChooser, tree: SearchTree) {
    this.#client = client;
    this.#places = places;
    this.#tree = tree;
  }

  /** Of a machine's row: in all of its snapshots, which finds what is gone today. */
  async findFiles(given: Given): Promise<void> {
    const place = await this.#nameSearchPlace(given);
    if (place === undefined) return;
    const wanted = await window.showInputBox({
      title: l10n.t("Find files in {0}", placeText(place)),
      prompt: l10n.t("A part of the name, or a pattern for all of it such as *.conf"),
    });
    if (wanted === undefined || wanted.trim() === "") return;
    await this.#run({ ...place, kind: "name", wanted: wanted.trim(), files: "" });
  }

  async searchText(given: Given): Promise<void> {
    const place = await this.#snapshotPlace(given, l10n.t("Search the files of which snapshot?"));
    if (place === undefined) return;
    const wanted = await window.showInputBox({
      title: l10n.t("Search text in the files of {0}", placeText(place)),
      prompt: l10n.t("Capital letters count only when there is one in the text"),
      validateInput: (text) => textFaultWords(text, l10n.t),
    });
    if (wanted === undefined) return;
    const files = await window.showInputBox({
      title: l10n.t("In which files?"),
      prompt: l10n.t("A part of their names, or a pattern such as *.conf; empty: in all of them"),
    });
    if (files === undefined) return;
    await this.#run({ ...place, kind: "text", wanted, files: files.trim() });
  }

  async again(): Promise<void> {
    if (this.#tree.search !== undefined) await this.#run(this.#tree.search);
  }

  showMore(row: MoreHitsNode): void {
    this.#tree.showMore(row);
  }

  close(): void {
    this.#tree.close();
    void setContexts(undefined);
  }

  async copyCommandLine(): Promise<void> {
    const { search } = this.#tree;
    if (search === undefined || search.kind !== "name") return;
    const { configured, machine, snapshot, path, wanted } = search;
    const name = /[*?[]/.test(wanted) ? wanted : `*${wanted}*`;
    const where = snapshot === null ? [`${machine}:${path}`, "--all-snapshots"] : [`${snapshot.snapshotId}:${path}`];
    await copyWithWord(commandLine(expandLocation(configured.location), ["find", ...where, "--name", name]));
  }

  async #run(wanted: Search): Promise<void> {
    // an object of its own: the same search again is another one
    const search = { ...wanted };
    const run = this.#tree.begin(search);
    await setContexts(search);
    await commands.executeCommand("reprise.search.focus");
    const title = l10n.t("Searching {0}", messageText(shortened(search.wanted, 60)));
    const options = { location: ProgressLocation.Notification, title, cancellable: true };
    try {
      const summary = await window.withProgress(options, (progress, token) =>
        withSignal(token, (signal) =>
          this.#ask(search, {
            signal: AbortSignal.any([signal, run.signal]),
            onEvent: (hit) => run.add(hit as SearchHit),
            onProgress: ({ done, total, subject = "" }) => {
              const amount = total === undefined ? `${done}` : l10n.t("{0} of {1}", done, total);
              progress.report({ message: [amount, messageText(shortened(subject, 60))].filter(Boolean).join(", ") });
            },
          }),
        ),
      );
      run.end(summary);
    } catch (error) {
      if (isAbort(error)) return run.end(undefined);
      run.fail(messageText(shortened(errorText(error), 300)));
      throw error;
    }
  }

  async #ask(search: Search, options: CallOptions): Promise<SearchSummary> {
    const { configured, machine, snapshot, path, kind, wanted, files } = search;
    return await this.#places.use(configured, ({ handle }) => {
      if (kind === "name" || snapshot === null) {
        const argument = { repository: handle, machine, snapshot: snapshot?.snapshotId ?? null, path, name: wanted };
        return this.#client.call("findFiles", argument, options);
      }
      const matchCase = wanted !== wanted.toLowerCase();
      const argument = { repository: handle, snapshot: snapshot.snapshotId, path, text: wanted, matchCase, files };
      return this.#client.call("searchText", argument, options);
    });
  }

  async #nameSearchPlace(given: Given): Promise<SearchPlace | undefined> {
    const known = await this.#places.knownPlace(given);
    if (known !== undefined) return await this.#inSnapshot(known);
    const chosen = await this.#places.machine(given, l10n.t("Find files in the backups of which machine?"));
    if (chosen === undefined) return undefined;
    const { repositoryId } = await this.#places.use(chosen.configured, (opened) => Promise.resolve(opened));
    return { ...chosen, repositoryId, snapshot: null, path: "/" };
  }

  async #snapshotPlace(given: Given, title: string): Promise<SearchPlace | undefined> {
    const known = await this.#places.knownPlace(given);
    if (known !== undefined) return await this.#inSnapshot(known);
    const chosen = await this.#places.snapshot(given, title);
    return chosen === undefined ? undefined : await this.#inSnapshot(await this.#places.placeIn(chosen, "/"));
  }

  async #inSnapshot(place: Parameters<PlaceChooser["snapshotOf"]>[0]): Promise<SearchPlace> {
    const { snapshotId, timeMs } = await this.#places.snapshotOf(place);
    const { configured, repositoryId, machine, path } = place;
    return { configured, repositoryId, machine, path, snapshot: { snapshotId, timeMs } };
  }
}

async function setContexts(search: Search | undefined): Promise<void> {
  await commands.executeCommand("setContext", "reprise.hasSearch", search !== undefined);
  await commands.executeCommand("setContext", "reprise.hasNameSearch", search?.kind === "name");
}

function placeText({ machine, snapshot, path }: SearchPlace): string {
  const when = snapshot === null ? l10n.t("all snapshots") : dateAndTime(snapshot.timeMs, env.language);
  return [machine, when, ...(path === "/" ? [] : [shortened(path, 60)])].join(", ");
}
