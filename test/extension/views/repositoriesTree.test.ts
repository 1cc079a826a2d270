// What the Backups view says above its rows while a filter is set, with an editor and a service that only answer.

import assert from "node:assert/strict";
import type { OpenRepositories } from "../../../extension/repositories/openRepositories.js";
import type { ServiceClient } from "../../../extension/service/client.js";
import type { MachinePage } from "../../../extension/service/protocol.js";
import type { FilterCount } from "../../../extension/views/filterCounts.js";
import type { RepositoriesTree } from "../../../extension/views/repositoriesTree.js";
import { importWithEditor } from "../support/handedOutEditor.js";
import { PlainEmitter } from "../support/viewEditor.js";

const nothing = { dispose: () => {} };
const LOCATIONS = ["/nowhere/one", "/nowhere/two"];

/** The settings name both repositories. */
const configuration = {
  inspect: () => ({ globalValue: LOCATIONS.map((location) => ({ location })) }),
};
const editor = {
  EventEmitter: PlainEmitter,
  TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
  ConfigurationTarget: { Global: 1 },
  workspace: { isTrusted: false, getConfiguration: () => configuration },
  l10n: { t: (text: string) => text },
};

describe("the Backups view with a filter", () => {
  let tree: RepositoriesTree;
  const answers = new Map<string, () => Promise<MachinePage>>();
  const told: (FilterCount | undefined)[] = [];
  const page = (machines: number, isReading: boolean): MachinePage => ({
    ...{ items: [], total: 0, namespaces: [], matching: { machines, snapshots: 2 * machines }, unreadable: [] },
    reading: isReading ? { done: 1, total: 9 } : null,
  });

  beforeEach(async () => {
    const { RepositoriesTree } = await importWithEditor<typeof import("../../../extension/views/repositoriesTree.js")>(
      "views/repositoriesTree.js",
      editor,
    );
    const client = { call: (_: string, { repository }: { repository: string }) => answers.get(repository)?.() };
    const repositories = {
      ...{ onDidChange: () => nothing, onDidChangeContents: () => nothing, isOpen: () => true },
      use: async ({ location }: { location: string }, work: (opened: object) => unknown) =>
        await work({ handle: location, encrypted: false }),
    };
    tree = new RepositoriesTree(client as unknown as ServiceClient, repositories as unknown as OpenRepositories);
    told.length = 0;
    tree.onDidFilter((count) => told.push(count));
  });
  afterEach(() => tree.dispose());

  it("does not go on saying that snapshots are being read when their reading has failed", async () => {
    tree.setFilter("web");
    const [one, two] = await tree.getChildren();
    answers.set(LOCATIONS[0] as string, async () => page(3, false));
    answers.set(LOCATIONS[1] as string, async () => page(1, true));
    await tree.getChildren(one);
    await tree.getChildren(two);
    assert.deepEqual(told.at(-1), { machines: 4, snapshots: 8, isReading: true });
    answers.set(LOCATIONS[1] as string, () => Promise.reject(new Error("the cable")));
    const [problem] = await tree.getChildren(two);
    assert.equal(problem?.kind, "problem");
    assert.deepEqual(told.at(-1), { machines: 3, snapshots: 6, isReading: false });
    tree.setFilter("");
    assert.equal(told.at(-1), undefined);
    await tree.getChildren(two);
    assert.equal(told.at(-1), undefined);
  });
});
