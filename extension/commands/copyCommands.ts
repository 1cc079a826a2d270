// Copies how a row is named, and the command line that shows the same: for every kind of row, and from the palette for what is open,
// selected or asked for.

import { l10n, type TestItem, Uri } from "vscode";
import { type CopySubject, copiedLine, copiedPath } from "../model/copiedText.js";
import { expandLocation } from "../model/location.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { CoverageNode } from "../restoreTests/coverageTree.js";
import { placeOf } from "../restoreTests/testItems.js";
import type { ChangesTree } from "../views/changesTree.js";
import { type Node, repositoryOf } from "../views/nodes.js";
import { chooseRepository } from "./actionParts.js";
import { type Given, isTreeNode, type PlaceChooser } from "./chosenPlace.js";
import { copyWithWord } from "./runningThings.js";

export type CopyGiven = Given | CoverageNode | TestItem;

interface Copied {
  configured: ConfiguredRepository;
  subject: CopySubject;
}

export class CopyCommands {
  readonly #places: PlaceChooser;
  readonly #changes: ChangesTree;
  readonly #selected: () => Node | undefined;

  constructor(places: PlaceChooser, changes: ChangesTree, selected: () => Node | undefined) {
    this.#places = places;
    this.#changes = changes;
    this.#selected = selected;
  }

  async path(given: CopyGiven): Promise<void> {
    const copied = await this.#subject(given);
    if (copied !== undefined)
      await copyWithWord(copiedPath(expandLocation(copied.configured.location), copied.subject));
  }

  async commandLine(given: CopyGiven): Promise<void> {
    const copied = await this.#subject(given);
    if (copied !== undefined)
      await copyWithWord(copiedLine(expandLocation(copied.configured.location), copied.subject));
  }

  /** Undefined: the user gave up. */
  async #subject(given: CopyGiven): Promise<Copied | undefined> {
    if (isTestItem(given)) return await ofTest(given);
    if (isCovered(given)) return ofCovered(given);
    if (isNode(given)) return (await ofRow(given)) ?? (await this.#ofPlace(given));
    if (given !== undefined && !(given instanceof Uri) && given.kind === "change") {
      const { compared } = this.#changes;
      if (compared !== undefined) return ofChange(given.place.configured, given.data.path, compared);
    }
    const isOpen = given !== undefined || this.#places.hasOpenPlace();
    const row = isOpen ? undefined : this.#selected();
    return (row === undefined ? undefined : await ofRow(row)) ?? (await this.#ofPlace(given as Given));
  }

  async #ofPlace(given: Given): Promise<Copied | undefined> {
    const place = await this.#places.place(given, l10n.t("Which file or folder? As the machine names it"), {
      orWhole: true,
    });
    if (place === undefined) return undefined;
    const { configured, snapshot, path } = place;
    if (path === "/") return { configured, subject: { kind: "snapshot", snapshot } };
    const { kind } = await this.#places.stat(configured, snapshot, path);
    return { configured, subject: { kind: kind === "file" ? "file" : "folder", snapshot, path } };
  }
}

/** Undefined: a row that stands for nothing by itself. */
async function ofRow(node: Node): Promise<Copied | undefined> {
  const { configured } = repositoryOf(node);
  const subject = subjectOfRow(node);
  return subject === undefined ? undefined : { configured, subject };
}

function subjectOfRow(node: Node): CopySubject | undefined {
  switch (node.kind) {
    case "repository":
      return { kind: "repository" };
    case "namespace":
      return { kind: "namespace", namespace: node.namespace };
    case "machine":
      return { kind: "machine", machine: node.machine.machine };
    case "day":
      return { kind: "snapshots", snapshots: node.snapshots.map(({ snapshotId }) => snapshotId) };
    case "snapshot":
      return { kind: "snapshot", snapshot: node.snapshot.snapshotId };
    case "entry": {
      const { snapshotId: snapshot } = node.snapshot.snapshot;
      return { kind: node.entry.kind === "file" ? "file" : "folder", snapshot, path: node.entry.path };
    }
    case "more":
    case "problem":
      return subjectOfRow(node.parent);
  }
}

function ofCovered(node: CoverageNode): Copied {
  const { configured } = node;
  if (node.kind !== "machine") return { configured, subject: { kind: "repository" } };
  return { configured, subject: { kind: "tested", machine: node.state.machine } };
}

/** Its spec names no repository: one that is picked, when there are several. */
async function ofTest(item: TestItem): Promise<Copied | undefined> {
  const place = placeOf(item);
  const configured = await chooseRepository(undefined, l10n.t("Test which repository's backups?"));
  if (place === undefined || configured === undefined) return undefined;
  const { file, test, machine, check } = place;
  return { configured, subject: { kind: "test", file: file.fsPath, test, machine, check } };
}

function ofChange(
  configured: ConfiguredRepository,
  path: string,
  { before, after }: NonNullable<ChangesTree["compared"]>,
): Copied {
  return { configured, subject: { kind: "changes", before: before.snapshot, after: after.snapshot, path } };
}

function isTestItem(given: CopyGiven): given is TestItem {
  return given !== undefined && !(given instanceof Uri) && !("kind" in given);
}

function isCovered(given: CopyGiven): given is CoverageNode {
  if (given === undefined || given instanceof Uri || !("kind" in given)) return false;
  // a row that is a repository is the same in both views
  return "configured" in given && given.kind !== "repository";
}

function isNode(given: CopyGiven): given is Node {
  return given !== undefined && !(given instanceof Uri) && "kind" in given && isTreeNode(given as Given);
}
