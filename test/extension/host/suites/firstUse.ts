import assert from "node:assert/strict";
import * as vscode from "vscode";
import { facts } from "../hostFacts.js";

// its file is run before all others
describe("the extension before its first use", () => {
  it("is activated by the first file that is asked for", async () => {
    const extension = vscode.extensions.getExtension("reprise.reprise");
    assert.ok(extension);
    assert.equal(extension.isActive, false);
    const path = `/prod:vm/web1/${facts.snapshots[0]}/sda/p2`;
    const uri = vscode.Uri.from({ scheme: "reprise", authority: facts.repositoryId, path });
    assert.equal((await vscode.workspace.fs.stat(uri)).type, vscode.FileType.Directory);
    assert.ok(extension.isActive);
  });
});
