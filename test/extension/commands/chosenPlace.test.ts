// What is offered of a machine with more snapshots than a list has room for.

import assert from "node:assert/strict";
import { importWithEditor } from "../support/handedOutEditor.js";
import { PlainEmitter } from "../support/plainEmitter.js";

type Imported = typeof import("../../../extension/commands/chosenPlace.js") &
  typeof import("../../../extension/commands/changeCommands.js");

describe("the snapshots of a machine", () => {
  const configured = { name: "srv", location: "/srv" };
  let total = 0;
  let shown: { items: readonly { snapshot: { snapshotId: string } }[]; placeHolder: string } | undefined;
  let told: string[] = [];
  const compared: { before: { snapshot: string }; after: { snapshot: string } }[] = [];
  let imported: Imported;
  let places: InstanceType<Imported["PlaceChooser"]>;
  /** The newest is the first of the list. */
  const snapshotAt = (at: number) => ({
    ...{ snapshotId: `s${at}`, machine: "vm/a", timeMs: 1e12 - at * 1000, notes: "", tags: [], disks: [] },
    ...{ protected: false, verification: null, restoreTest: null },
  });
  const idOf = (snapshot: string) => Number(snapshot.slice(1));
  const answers: Record<string, (argument: never) => unknown> = {
    snapshots: ({ offset, limit }: { offset: number; limit: number }) => {
      const count = Math.min(limit, total - offset);
      return { total, items: Array.from({ length: count }, (_, at) => snapshotAt(offset + at)) };
    },
    snapshot: ({ snapshot }: { snapshot: string }) => snapshotAt(idOf(snapshot)),
    snapshotBefore: ({ snapshot }: { snapshot: string }) =>
      idOf(snapshot) + 1 < total ? snapshotAt(idOf(snapshot) + 1) : null,
  };

  before(async () => {
    const editor = {
      ...{ Uri: class {}, TabInputText: class {}, TabInputCustom: class {}, EventEmitter: PlainEmitter },
      ...{ env: { language: "en" }, FileSystemError: class {}, ProgressLocation: {}, TreeItem: class {} },
      commands: { executeCommand: async () => undefined },
      l10n: {
        t: (text: string, ...values: unknown[]) => text.replaceAll(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
      },
      window: {
        showQuickPick: async (items: never, { placeHolder }: { placeHolder: string }) => {
          shown = { items, placeHolder };
        },
        showInformationMessage: async (text: string) => void told.push(text),
        withProgress: async (_: unknown, work: (progress: object) => unknown) => await work({ report: () => {} }),
      },
    };
    imported = await importWithEditor<Imported>("commands/chosenPlace.js", editor, "commands/changeCommands.js");
    const opened = { handle: 1, repositoryId: "r" };
    const repositories = {
      open: async () => opened,
      use: async (_: unknown, call: (repository: object) => unknown) => await call(opened),
    };
    const client = { call: async (method: string, argument: never) => answers[method]?.(argument) };
    places = new imported.PlaceChooser(client as never, repositories as never, () => undefined);
  });
  beforeEach(() => {
    [shown, told] = [undefined, []];
  });

  it("are all offered, as far as a list goes", async () => {
    total = 4000;
    await places.pickSnapshot(configured, "vm/a", "Which?", "s0");
    assert.equal(shown?.items.length, 3999);
    assert.equal(shown.placeHolder, "Which snapshot?");
  });

  it("are said to be the newest of so many when there are more", async () => {
    total = 4500;
    await places.pickSnapshot(configured, "vm/a", "Which?");
    assert.equal(shown?.items.length, 4000);
    assert.match(shown.placeHolder, /^Which snapshot\? The newest 4,000 of 4,500/);
  });

  it("have one before each but the first, however old", async () => {
    const changes = { compare: async (pair: never) => void compared.push(pair) };
    const commands = new imported.ChangeCommands(places, changes as never, {} as never, () => undefined);
    const repository = { kind: "repository", configured };
    const node = (at: number) => ({ kind: "snapshot", snapshot: snapshotAt(at), repository }) as never;
    total = 5000;
    for (const at of [0, 3999, 4998]) {
      await commands.sincePrevious(node(at));
      assert.deepEqual(compared.at(-1)?.before.snapshot, `s${at + 1}`);
      assert.deepEqual(compared.at(-1)?.after.snapshot, `s${at}`);
    }
    assert.deepEqual(told, []);
    await commands.sincePrevious(node(4999));
    assert.deepEqual(told, ["This is the first snapshot of vm/a."]);
  });
});
