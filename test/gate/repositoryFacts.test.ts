// What a gate that asks the repository makes of objects that it cannot read: nothing that was said against a backup is forgotten because
// its record is damaged or of a later format.

import assert from "node:assert/strict";
import { inventoryOf } from "../../core/evidence/inventory.js";
import { SigningKey } from "../../core/evidence/signingKey.js";
import type { JsonValue } from "../../core/format/canonicalJson.js";
import { objectName, type Sid } from "../../core/format/ids.js";
import type { RecordBody } from "../../core/format/record.js";
import { encodeRestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import { judgeMachine } from "../../core/gate/judgeMachine.js";
import { gateFactsFromRepository } from "../../core/gate/repositoryFacts.js";
import { loadCatalog } from "../../core/repository/catalog.js";
import { writeRecord } from "../../core/repository/records.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { noise } from "../support/sampleBytes.js";
import { recordWithOutcome } from "../support/sampleTestRecord.js";
import { TestRepository } from "../support/testRepository.js";
import { DAY, HOUR, requirement } from "./gateCases.js";

const vouch = SigningKey.generate();
const MACHINE = "vm/web1";

class Story {
  readonly made: TestRepository;
  readonly sid: Sid;
  readonly #digest: string;

  constructor(made: TestRepository, sid: Sid, digest: string) {
    this.made = made;
    this.sid = sid;
    this.#digest = digest;
  }

  /** A machine with one backup whose test passed, and another machine. */
  static async make(): Promise<Story> {
    const made = await TestRepository.make();
    await made.backUp("vm/other", { root: noise(2, 30_000) });
    const { sid } = await made.backUp(MACHINE, { root: noise(1, 30_000) });
    const { snapshots } = await made.catalog();
    const story = new Story(made, sid, snapshots.at(-1)!.digest);
    await story.store(story.test("passed"));
    return story;
  }

  test(outcome: "passed" | "failed", change: Record<string, JsonValue> = {}): RecordBody {
    const { nowMs } = this.made.environment;
    const sample = recordWithOutcome(outcome);
    const at = (ms: number) => new Date(nowMs + ms).toISOString();
    const record = encodeRestoreTestRecord({
      ...sample,
      asset: { ...sample.asset, machine: MACHINE },
      backup: { ...sample.backup, manifestDigest: this.#digest, startedAt: at(0), finishedAt: at(0) },
      times: { ...sample.times, startedAt: at(0), finishedAt: at(1) },
    });
    return { type: "restoreTest", data: { record: { ...(record as object), ...change }, envelopes: [] } };
  }

  /** Answers the object's name; a minute passes. */
  async store(body: RecordBody): Promise<string> {
    const { repository, environment } = this.made;
    environment.nowMs += 60_000;
    const { records } = await this.made.catalog();
    return objectName.record((await writeRecord(repository, body, [this.sid], records)).rid);
  }

  async damage(object: string): Promise<void> {
    await changeObject(this.made.backend, object, (bytes) => flipped(bytes, bytes.length - 20));
  }

  async judged(machine = MACHINE) {
    const nowMs = this.made.environment.now();
    const facts = await gateFactsFromRepository(this.made.repository, [machine], { vouch, ...this.made.options });
    const trust = { keys: [vouch.verificationKey], specDigests: new Map(), nowMs };
    const { decision, reasons } = judgeMachine(
      machine,
      { ...requirement, level: "intact", checks: [], rtoMs: null, maxTestAgeMs: 900 * DAY, maxBackupAgeMs: 30 * DAY },
      { ...trust, facts, maxEvidenceAgeMs: HOUR, problems: [] },
    );
    return { decision, codes: reasons.map(({ code }) => code), text: reasons.map(({ message }) => message).join("\n") };
  }

  async counted(machine = MACHINE): Promise<number> {
    const catalog = await loadCatalog(this.made.repository, { fresh: true, ...this.made.options });
    const { unreadable } = inventoryOf(catalog, machine, { id: "33".repeat(16), location: "/srv" }, 0);
    return unreadable;
  }
}

describe("a gate that asks the repository", () => {
  it("opens for a test that passed, and not while a later one failed or the backup is damaged", async () => {
    const story = await Story.make();
    assert.deepEqual((await story.judged()).codes, ["proven"]);
    await story.store({ type: "verification", data: { level: "data", result: "damaged", damaged: [] } });
    await story.store(story.test("failed"));
    assert.deepEqual((await story.judged()).codes, ["backup-damaged", "test-failed"]);
    assert.equal(await story.counted(), 0);
  });

  it("does not open because the record of a failed test or of a damage cannot be read", async () => {
    const story = await Story.make();
    const bad = [
      await story.store({ type: "verification", data: { level: "data", result: "damaged", damaged: [] } }),
      await story.store(story.test("failed")),
    ];
    for (const object of bad) await story.damage(object);
    const { decision, codes, text } = await story.judged();
    assert.deepEqual([decision, codes], ["blocked", ["repository-unreadable"]]);
    assert.match(text, /a record cannot be read \(records\/[0-9a-f]{32}.* and 1 more\)/);
    assert.equal((await story.judged("vm/other")).codes[0], "repository-unreadable", "it may be about any machine");
    assert.deepEqual([await story.counted(), await story.counted("vm/other")], [2, 2], "the inventory says so, too");
  });

  it("does not open because a test is of a later format, and other machines are not concerned", async () => {
    const story = await Story.make();
    await story.store(story.test("failed", { schema: "restore-test/v2" }));
    story.made.takeWarnings();
    const { codes, text } = await story.judged();
    assert.deepEqual(codes, ["repository-unreadable"]);
    assert.match(text, /restore-test\/v2/);
    assert.deepEqual(story.made.takeWarnings(), ["UNSUPPORTED_VERSION"], "it is not dropped without a word");
    assert.deepEqual((await story.judged("vm/other")).codes, ["untested"]);
    assert.deepEqual([await story.counted(), await story.counted("vm/other")], [1, 0]);
  });

  it("passes over records of a type that it does not know, as the format promises", async () => {
    const story = await Story.make();
    await story.store({ type: "unknown", name: "weather", data: { sky: "blue" } });
    assert.deepEqual((await story.judged()).codes, ["proven"]);
    assert.equal(await story.counted(), 0);
  });
});
