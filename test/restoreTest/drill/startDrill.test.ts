import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { judge } from "../../../core/evidence/testVerdict.js";
import { MachineTree } from "../../../core/files/machineTree.js";
import { openMachineDisks } from "../../../core/files/openTree.js";
import { ChunkFetcher } from "../../../core/files/snapshotDisk.js";
import type { CheckResult } from "../../../core/format/restoreTestRecord.js";
import type { MachineShape } from "../../../core/hypervisor/machineShape.js";
import { loadCatalog, type Snapshot } from "../../../core/repository/catalog.js";
import { impliedChecks } from "../../../core/restoreTest/checks/impliedChecks.js";
import { runCheck } from "../../../core/restoreTest/checks/runCheck.js";
import { DRILL_FAULTS, isNoticed, UNNOTICED_REASON } from "../../../core/restoreTest/drill/drillFaults.js";
import { type Drill, startDrill } from "../../../core/restoreTest/drill/startDrill.js";
import type { MemoryBackend } from "../../../core/storage/memoryBackend.js";
import { verifyRepository } from "../../../core/verify/verify.js";
import { machineDisks } from "../../files/machineDisk.js";
import { TestRepository } from "../../support/testRepository.js";
import { check, fakeContext } from "../checks/fakeContext.js";

describe("drills", function () {
  this.timeout(60_000);
  let made: TestRepository;
  let snapshot: Snapshot;

  before(async () => {
    made = await TestRepository.make();
    const [image] = await machineDisks();
    await made.backUp("vm/web1", { sda: await readFile(image), sdb: new Uint8Array(100_000) });
    [snapshot] = (await loadCatalog(made.repository, made.options)).snapshots as [Snapshot];
  });
  after(() => made?.repository.close());

  /** As a test does at level readable, everything read through the drill. */
  const test = async (drill: Drill | null): Promise<CheckResult[]> => {
    const repository = drill?.repository ?? made.repository;
    const fetcher = await ChunkFetcher.open(repository, made.options);
    try {
      // Whose maps cannot be opened has no disks to look into.
      const all = await openMachineDisks(snapshot, fetcher).catch(() => null);
      const disks = all === null ? null : (drill?.disks(all) ?? all);
      const whole = { readData: true, ignoreVerified: false, outdatedAfterMs: null, subset: null, record: true };
      const context = fakeContext({
        snapshot,
        disks: disks === null ? null : { disks, tree: new MachineTree(disks) },
        verifyChunks: (signal) =>
          verifyRepository(repository, { snapshots: [snapshot], ...whole }, { signal, onWarning: made.onWarning }),
      });
      const results: CheckResult[] = [];
      for (const spec of impliedChecks("readable", 20_000)) results.push((await runCheck(spec, context)).result);
      return results;
    } finally {
      await fetcher.close();
    }
  };
  const told = (results: readonly CheckResult[]) =>
    results.map(({ id, outcome, reason }) => `${id} ${outcome} ${reason}`);

  it("leave a test that notices nothing wrong, without a fault", async () => {
    const results = await test(null);
    assert.ok(
      results.slice(0, 2).every(({ outcome }) => outcome === "passed"),
      told(results).join("\n"),
    );
    const checks = results.slice(0, 1);
    const verdict = judge({ level: "intact", simulated: true, checks });
    assert.deepEqual(verdict, { outcome: "failed", provenLevel: null, reason: UNNOTICED_REASON });
    const drill = startDrill("destroyed-chunk", made.repository);
    assert.equal(isNoticed(drill.fault, verdict.outcome, verdict.reason), false);
  });

  for (const name of ["destroyed-chunk", "wrong-key", "missing-disk"] as const) {
    it(`show that a test notices: ${name}, and leave the storage as it is`, async () => {
      const before = (made.backend as MemoryBackend).snapshotState();
      const drill = startDrill(name, made.repository);
      const what = await drill.prepare(snapshot, made.options);
      assert.ok(what.length > 10);
      const results = await test(drill);
      const verdict = judge({ level: "readable", simulated: true, checks: results });
      assert.ok(isNoticed(drill.fault, verdict.outcome, verdict.reason), told(results).join("\n"));
      if (name === "destroyed-chunk") assert.match(told(results)[0] ?? "", /^level.chunks failed data of the snapshot/);
      assert.deepEqual((made.backend as MemoryBackend).snapshotState(), before);
    });
  }

  it("say which of them a repository or a machine cannot have", async () => {
    const open = await TestRepository.make({ encrypted: false });
    assert.throws(() => startDrill("wrong-key", open.repository), { code: "DRILL_IMPOSSIBLE" });
    assert.throws(() => startDrill("fire", open.repository), { code: "DRILL_UNKNOWN" });
    const folder = { ...snapshot, manifest: { ...snapshot.manifest, archives: [] } };
    for (const name of ["destroyed-chunk", "missing-disk"]) {
      const drill = startDrill(name, made.repository);
      await assert.rejects(drill.prepare(folder, made.options), { code: "DRILL_IMPOSSIBLE" }, name);
    }
  });

  it("change the machine, and nothing that belongs to another drill", async () => {
    const disk = { controller: "virtio-scsi-pci" } as const;
    const shape = {
      disks: [
        { ...disk, name: "sda", bus: "virtio" },
        { ...disk, name: "sdb", bus: "sata" },
      ],
    } as unknown as MachineShape;
    const changed = (name: string) =>
      startDrill(name, made.repository)
        .shape(shape)
        .disks.map(({ name, bus }) => `${name} ${bus}`);
    assert.deepEqual(changed("wrong-bus"), ["sda sata", "sdb virtio"]);
    assert.deepEqual(changed("missing-disk"), ["sdb sata"]);
    assert.deepEqual(changed("no-service"), ["sda virtio", "sdb sata"]);
    const guest = startDrill("no-service", made.repository).guest(fakeContext({ hostPort: () => 40_000 }));
    const tcp = { port: 80, sends: null, expects: null };
    assert.equal((await runCheck(check("tcp", tcp), guest)).result.outcome, "failed");
    const command = { run: ["/bin/true"], exitCode: 0, matches: null, forbidden: null };
    assert.equal((await runCheck(check("command", command), guest)).result.outcome, "inconclusive");
    assert.equal(startDrill("wrong-bus", made.repository).guest(guest), guest);
  });

  it("never expect a test to pass", () => {
    for (const name of DRILL_FAULTS) {
      if (name === "wrong-key") continue;
      const { fault } = startDrill(name, made.repository);
      assert.ok(fault.expected.length > 0);
      for (const outcome of ["passed", "warned"]) assert.equal(isNoticed(fault, outcome, ""), false);
    }
  });
});
