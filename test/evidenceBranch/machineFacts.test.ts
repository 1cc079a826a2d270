// Which inventory of a machine counts, and which tests go with it.

import assert from "node:assert/strict";
import { checkBranchTree } from "../../core/evidenceBranch/branchTree.js";
import { type FactsTrust, machineFacts } from "../../core/evidenceBranch/machineFacts.js";
import {
  backedUpMs,
  branchFiles,
  HOUR,
  nowMs,
  type Sample,
  signedInventory,
  signedTest,
  stranger,
  trusted,
} from "./sampleEvidence.js";

const [mine, theirs] = ["33".repeat(16), "55".repeat(16)] as const;

function factsOf(publications: readonly (readonly string[])[], change: Partial<FactsTrust> = {}) {
  const { statements, problems } = checkBranchTree(branchFiles(publications), trusted);
  assert.deepEqual(problems, []);
  return machineFacts(statements, { keys: trusted, nowMs, repositoryId: null, ...change });
}
const codesOf = ({ problems, machineProblems }: ReturnType<typeof factsOf>) =>
  [...problems, ...[...machineProblems.values()].flat()].map(({ code }) => code);

describe("facts about machines", () => {
  it("are of each machine by itself", () => {
    const { machines, problems } = factsOf([
      [signedInventory({ machine: "vm/a", count: 3 }), ...signedTest("vm/a", 2)],
      [signedInventory({ machine: "prod:vm/b", count: 1 }), ...signedTest("prod:vm/b", 0, "failed")],
    ]);
    assert.deepEqual(problems, []);
    assert.deepEqual([...machines.keys()], ["vm/a", "prod:vm/b"]);
    assert.deepEqual(
      [...machines.values()].map(({ snapshots, envelopes }) => [snapshots.length, envelopes.length]),
      [
        [3, 2],
        [1, 2],
      ],
    );
  });

  it("can be that there is no backup any more", () => {
    const { machines } = factsOf([
      [signedInventory({ asOfMs: backedUpMs + HOUR }), ...signedTest("vm/web1", 1)],
      [signedInventory({ asOfMs: backedUpMs + 2 * HOUR, count: 0 })],
    ]);
    assert.deepEqual(machines.get("vm/web1"), {
      machine: "vm/web1",
      asOfMs: backedUpMs + 2 * HOUR,
      snapshots: [],
      envelopes: [],
    });
  });

  it("hold what a verification has found", () => {
    const verification = { result: "damaged" as const, level: "data" as const, at: "2026-11-21T02:30:00.000Z" };
    const [snapshot] = factsOf([[signedInventory({ verification })]]).machines.get("vm/web1")?.snapshots ?? [];
    assert.deepEqual(snapshot?.verification, { result: "damaged", level: "data", atMs: backedUpMs + HOUR / 2 });
  });

  it("are doubtful while manifests cannot be read", () => {
    assert.deepEqual(codesOf(factsOf([[signedInventory({ unreadable: 1 })]])), ["repository-unreadable"]);
    const healed = [[signedInventory({ unreadable: 1 })], [signedInventory({ asOfMs: backedUpMs + 2 * HOUR })]];
    assert.deepEqual(codesOf(factsOf(healed)), []);
  });

  it("come from trusted signers alone", () => {
    assert.equal(factsOf([[signedInventory({}, [stranger])]]).machines.size, 0);
    assert.equal(factsOf([[signedInventory({}, [stranger])]], { keys: [stranger.verificationKey] }).machines.size, 1);
  });

  it("of copies in another repository do not replace those of the machine's own", () => {
    const own = signedInventory({ asOfMs: backedUpMs + HOUR });
    const copies = signedInventory({ asOfMs: backedUpMs + 2 * HOUR, repository: theirs, copies: true });
    const facts = factsOf([[own], [copies]]);
    assert.deepEqual(codesOf(facts), []);
    assert.equal(facts.machines.get("vm/web1")?.asOfMs, backedUpMs + HOUR);
    assert.equal(factsOf([[copies]]).machines.size, 1, "copies are better than nothing");
    const chosen = factsOf([[own], [copies]], { repositoryId: theirs });
    assert.equal(chosen.machines.get("vm/web1")?.asOfMs, backedUpMs + 2 * HOUR);
  });

  it("are none when two repositories claim the machine, until one is named", () => {
    const claims = [[signedInventory()], [signedInventory({ repository: theirs, asOfMs: backedUpMs + 2 * HOUR })]];
    const facts = factsOf(claims);
    assert.deepEqual([codesOf(facts), facts.machines.size], [["evidence-invalid"], 0]);
    const named = factsOf(claims, { repositoryId: mine });
    assert.deepEqual([codesOf(named), named.machines.size], [[], 1]);
    assert.equal(factsOf(claims, { repositoryId: "00".repeat(16) }).machines.size, 0);
  });

  it("are those of the repository that has snapshots, where another one has none", () => {
    const own = signedInventory({ asOfMs: backedUpMs + HOUR });
    const none = (more: Sample = {}) =>
      signedInventory({ count: 0, asOfMs: backedUpMs + 2 * HOUR, repository: theirs, ...more });
    const facts = factsOf([[own], [none()]]);
    assert.deepEqual([codesOf(facts), facts.machines.get("vm/web1")?.snapshots.length], [[], 2]);
    assert.deepEqual(codesOf(factsOf([[own], [none({ unreadable: 1 })]])), ["evidence-invalid"]);
    const copies = signedInventory({ repository: "55".repeat(16), copies: true });
    const gone = factsOf([[none()], [copies]]).machines.get("vm/web1");
    assert.deepEqual(gone?.snapshots, [], "copies do not hide that all is gone");
  });

  it("of one machine are not in doubt because another one's are", () => {
    const claims = [
      [signedInventory(), signedInventory({ machine: "vm/other" })],
      [signedInventory({ repository: theirs, asOfMs: backedUpMs + 2 * HOUR })],
      [signedInventory({ machine: "vm/torn", unreadable: 2 })],
    ];
    const { problems, machines, machineProblems } = factsOf(claims);
    assert.deepEqual([problems, [...machines.keys()]], [[], ["vm/other", "vm/torn"]]);
    const codes = [...machineProblems].map(([machine, found]) => [machine, ...found.map(({ code }) => code)]);
    assert.deepEqual(codes, [["vm/web1", "evidence-invalid"], ["vm/other"], ["vm/torn", "repository-unreadable"]]);
  });
});
