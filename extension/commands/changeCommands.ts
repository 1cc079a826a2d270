// Commands of the What changed view: compare two snapshots, open what differs, narrow down, copy the command line.

import { commands, env, l10n, ProgressLocation, window } from "vscode";
import { withSignal } from "../adapt/cancellation.js";
import { changeName } from "../model/changeWords.js";
import { commandLine } from "../model/commandLine.js";
import { expandLocation } from "../model/location.js";
import { messageText, shortened } from "../model/shownName.js";
import { dateAndTime } from "../model/words.js";
import { ALL_CHANGES } from "../service/compareProtocol.js";
import type { SnapshotData } from "../service/protocol.js";
import type { ChangeRow, ChangesTree, ComparedSnapshots, SnapshotSide } from "../views/changesTree.js";
import type { ChosenPlace } from "../views/places.js";
import type { Given, PlaceChooser } from "./chosenPlace.js";
import { copyWithWord } from "./runningThings.js";
import type { DiffSide, SideDocuments } from "./sideDocuments.js";

export class ChangeCommands {
  readonly #places: PlaceChooser;
  readonly #changes: ChangesTree;
  readonly #sides: SideDocuments;
  readonly #selected: () => ChangeRow | undefined;

  constructor(places: PlaceChooser, changes: ChangesTree, sides: SideDocuments, selected: () => ChangeRow | undefined) {
    this.#places = places;
    this.#changes = changes;
    this.#sides = sides;
    this.#selected = selected;
  }

  /** Since the snapshot before; of a folder, only what is in it. */
  async sincePrevious(given: Given): Promise<void> {
    const after = await this.#after(given);
    if (after === undefined) return;
    const { place, snapshot } = after;
    const before = await this.#places.snapshotBefore(place);
    if (before === null)
      return void window.showInformationMessage(l10n.t("This is the first snapshot of {0}.", place.machine));
    await this.#compare(place, [before, snapshot]);
  }

  /** Between this snapshot and another one of its machine that is picked. */
  async between(given: Given): Promise<void> {
    const one = await this.#after(given);
    if (one === undefined) return;
    const { place, snapshot } = one;
    const title = l10n.t("Compare the snapshot of {0} with which one?", dateAndTime(snapshot.timeMs, env.language));
    const other = await this.#places.pickSnapshot(place.configured, place.machine, title, place.snapshot);
    if (other !== undefined) await this.#compare(place, [other.snapshot, snapshot]);
  }

  async open(given: ChangeRow | undefined): Promise<void> {
    const isRow = given !== undefined && ["change", "moreChanges"].includes(given.kind);
    const row = isRow ? given : this.#selected();
    const compared = this.#changes.compared;
    if (row === undefined || compared === undefined) return tellNothingCompared();
    if (row.kind === "moreChanges") return this.#changes.showMore(row);
    const { before, after, change, metadata, isFolder } = row.data;
    if (isFolder) return;
    const side = (of: SnapshotSide, path: string | undefined): DiffSide | null => {
      return path === undefined ? null : { place: { ...of, path }, label: dateAndTime(of.timeMs, env.language) };
    };
    const [left, right] = [side(compared.before, before?.path), side(compared.after, after?.path)];
    const isFacts = change === "metadata" && left !== null && right !== null;
    await (isFacts ? this.#sides.openFacts(left, right, metadata.join(", ")) : this.#sides.open(left, right));
  }

  /** By a part of the path and by kind. */
  async filter(): Promise<void> {
    if (this.#changes.compared === undefined) return tellNothingCompared();
    const { text, kinds } = this.#changes.filter;
    const typed = await window.showInputBox({
      title: l10n.t("Show only changes with this in their path"),
      prompt: l10n.t("Empty: all of them"),
      value: text,
    });
    if (typed === undefined) return;
    const items = ALL_CHANGES.map((kind) => ({
      label: changeName(kind, l10n.t),
      picked: kinds.includes(kind),
      change: kind,
    }));
    const title = l10n.t("Show which kinds of changes?");
    const picked = await window.showQuickPick(items, { title, canPickMany: true });
    if (picked !== undefined)
      this.#changes.setFilter({ text: typed.trim(), kinds: picked.map(({ change }) => change) });
  }

  async copyCommandLine(): Promise<void> {
    const compared = this.#changes.compared;
    if (compared === undefined) return tellNothingCompared();
    const { before, after } = compared;
    const path = after.path === "/" ? [] : ["--path", after.path];
    const line = commandLine(expandLocation(after.configured.location), [
      "diff",
      before.snapshot,
      after.snapshot,
      ...path,
    ]);
    await copyWithWord(line);
  }

  async #after(given: Given): Promise<{ place: ChosenPlace; snapshot: SnapshotData } | undefined> {
    const chosen = await this.#places.snapshot(given, l10n.t("What changed until which snapshot?"));
    if (chosen === undefined) return undefined;
    const isFolder = given !== undefined && "kind" in given && given.kind === "entry";
    const path = isFolder ? given.entry.path : "/";
    return { place: await this.#places.placeIn(chosen, path), snapshot: chosen.snapshot };
  }

  /** The older of the two is before. */
  async #compare(place: ChosenPlace, snapshots: [SnapshotData, SnapshotData]): Promise<void> {
    const [before, after] = snapshots
      .toSorted((a, b) => a.timeMs - b.timeMs)
      .map(({ snapshotId, timeMs }): SnapshotSide => ({ ...place, snapshot: snapshotId, timeMs }));
    const compared = { before, after } as ComparedSnapshots;
    const name = place.path === "/" ? place.machine : `${place.machine} ${shortened(place.path)}`;
    const title = l10n.t("Comparing {0}", messageText(name));
    const options = { location: ProgressLocation.Notification, title, cancellable: true };
    await window.withProgress(options, (progress, token) =>
      withSignal(token, (signal) =>
        this.#changes.compare(compared, {
          signal,
          onProgress: ({ done, subject = "" }) =>
            progress.report({ message: `${l10n.t("Changes: {0}", done)}, ${messageText(shortened(subject, 60))}` }),
        }),
      ),
    );
    await commands.executeCommand("setContext", "reprise.hasComparison", true);
    await commands.executeCommand("reprise.changes.focus");
  }
}

function tellNothingCompared(): void {
  const text = l10n.t(
    "Nothing is compared: use Show What Changed on a snapshot, and select a row of the view What Changed.",
  );
  void window.showInformationMessage(text);
}
