// Inventories: what is in them, that signing and reading agree, and that nothing that lies is read.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import { decodeEnvelope, IN_TOTO_PAYLOAD_TYPE, signEnvelope } from "../../core/evidence/dsse.js";
import {
  decodeInventory,
  INVENTORY_TYPE,
  type InventoriedCatalog,
  type Inventory,
  inventoryOf,
  inventoryStatement,
  MAX_INVENTORY,
} from "../../core/evidence/inventory.js";
import type { EvidenceReason } from "../../core/evidence/policy.js";
import { readInventories, signInventory } from "../../core/evidence/signedInventories.js";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { decodeStatement, encodeStatement } from "../../core/evidence/statement.js";
import { recordDigest } from "../../core/evidence/testStatements.js";
import { encodeText } from "../../core/format/bytes.js";
import type { JsonValue } from "../../core/format/canonicalJson.js";
import type { RepositoryRecord } from "../../core/format/record.js";
import { encodeRestoreTestRecord, type RestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import { assertThrowsCode } from "../support/assertCode.js";
import { recordWithOutcome } from "../support/sampleTestRecord.js";
import { checkEnvelope } from "./independentDsse.js";

const key = SigningKey.generate();
const other = SigningKey.generate();
const repository = { id: "33".repeat(16), location: "s3:https://s3.example.com/backups/lab" };
const asOfMs = Date.UTC(2026, 10, 22, 3, 30, 0, 123);
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

function catalogOf(count: number, tested: readonly number[] = []): InventoriedCatalog {
  const snapshots = Array.from({ length: count }, (_, at) => ({
    sid: sha256(`s${at}`).slice(0, 32),
    digest: sha256(`m${at}`),
    manifest: {
      namespace: "",
      group: "vm/web1",
      time: new Date(Date.UTC(2026, 9, 1) + at * 3_600_000).toISOString().replace(".000", ""),
      origin: at === 1 ? { repositoryId: "77".repeat(16) } : null,
    },
    verification: at === 0 ? { result: "ok" as const, level: "data" as const, at: "2026-11-01T00:00:00.000Z" } : null,
    restoreTest: tested.includes(at) ? {} : null,
  }));
  return { snapshots, records: [], unreadable: [], unreadableRecords: [] };
}

function storedTest(
  at: number,
  outcome: "passed" | "failed",
  finishedAt: string,
  change: Partial<RestoreTestRecord> = {},
): object {
  const sample = recordWithOutcome(outcome);
  const backup = { ...sample.backup, manifestDigest: sha256(`m${at}`) };
  const record = encodeRestoreTestRecord({ ...sample, backup, times: { ...sample.times, finishedAt }, ...change });
  return { type: "restoreTest", rid: "r", snapshots: [], data: { record, envelopes: [] } };
}

function read(envelopes: readonly string[], threshold = 1, keys = [key.verificationKey]) {
  const [ignored, problems]: [EvidenceReason[], EvidenceReason[]] = [[], []];
  const inventories = readInventories(envelopes, { keys, threshold }, { ignored, problems });
  return { inventories, ignored: ignored.map(({ code }) => code), problems: problems.map(({ code }) => code) };
}

describe("inventories", () => {
  it("name the snapshots of one machine, newest first, and older ones that were tested", () => {
    const catalog = catalogOf(30, [2, 25]);
    const elsewhere = {
      ...catalogOf(1).snapshots[0],
      manifest: { namespace: "prod", group: "vm/web1", time: "", origin: null },
    };
    const all = { ...catalog, snapshots: [...catalog.snapshots, elsewhere as (typeof catalog.snapshots)[0]] };
    const inventory = inventoryOf(all, "vm/web1", repository, asOfMs);
    assert.equal(inventory.total, 30);
    assert.equal(inventory.asOf, "2026-11-22T03:30:00.123Z");
    const wanted = [...Array.from({ length: 20 }, (_, at) => 29 - at), 2].map((at) => sha256(`m${at}`));
    assert.deepEqual(
      inventory.snapshots.map(({ manifestDigest }) => manifestDigest),
      wanted,
    );
  });

  it("are bounded, however many were tested", () => {
    const all = Array.from({ length: 300 }, (_, at) => at);
    assert.equal(inventoryOf(catalogOf(300, all), "vm/web1", repository, asOfMs).snapshots.length, MAX_INVENTORY);
  });

  it("are in-toto statements about the manifests, which others can check", () => {
    const inventory = inventoryOf(catalogOf(2), "vm/web1", repository, asOfMs);
    const envelope = signInventory(inventory, [key]);
    assert.deepEqual(
      inventory.snapshots.map(({ copiedFrom }) => copiedFrom),
      ["77".repeat(16), null],
    );
    const pem = key.verificationKey.toPem();
    const { signers, payloadType, body } = checkEnvelope(envelope, [pem]);
    assert.deepEqual([signers, payloadType], [[pem], IN_TOTO_PAYLOAD_TYPE]);
    const statement = JSON.parse(body.toString()) as Record<string, unknown>;
    assert.equal(statement.predicateType, INVENTORY_TYPE);
    assert.deepEqual(statement.subject, [
      { name: "snapshot/vm/web1/2026-10-01T01:00:00Z", digest: { sha256: sha256("m1") } },
      { name: "snapshot/vm/web1/2026-10-01T00:00:00Z", digest: { sha256: sha256("m0") } },
    ]);
    assert.deepEqual(read([envelope]).inventories, [{ inventory, signedBy: [key.verificationKey.keyId], envelope: 0 }]);
  });

  it("of a machine without snapshots say so, about its name", () => {
    const inventory = inventoryOf(catalogOf(3), "prod:vm/gone", repository, asOfMs);
    const { subjects } = inventoryStatement(inventory);
    const name = `repository/${repository.id}/prod:vm/gone`;
    assert.deepEqual(subjects, [{ name, sha256: sha256(name) }]);
    assert.deepEqual(read([signInventory(inventory, [key])]).inventories[0]?.inventory, inventory);
  });

  it("tell that manifests could not be read", () => {
    const inventory = inventoryOf({ ...catalogOf(1), unreadable: [{}, {}] }, "vm/web1", repository, asOfMs);
    assert.equal(read([signInventory(inventory, [key])]).inventories[0]?.inventory.unreadable, 2);
  });

  it("keep a damage whose record has no time, and no other verification without one", () => {
    const at = "\u001b]0;canary";
    const stateWith = (result: "ok" | "damaged") => {
      const snapshots = catalogOf(1).snapshots.map((each) => ({
        ...each,
        verification: { result, level: "data" as const, at },
      }));
      return inventoryOf(
        { snapshots, records: [], unreadable: [], unreadableRecords: [] },
        "vm/web1",
        repository,
        asOfMs,
      ).snapshots[0]?.verification;
    };
    assert.equal(stateWith("ok"), null);
    assert.deepEqual(stateWith("damaged"), { result: "damaged", level: "data", at: new Date(asOfMs).toISOString() });
  });

  it("tell the newest test of each snapshot, signed or not, and no drill", () => {
    const records = [
      storedTest(0, "passed", "2026-11-20T03:00:00Z"),
      storedTest(0, "failed", "2026-11-21T03:00:00.123456Z"),
      storedTest(0, "passed", "2026-11-19T03:00:00Z"),
      storedTest(1, "failed", "2026-11-21T03:00:00Z", { simulated: true }),
      { ...storedTest(1, "passed", "2026-11-21T03:00:00Z"), data: { record: { schema: "x" }, envelopes: [] } },
    ] as RepositoryRecord[];
    const inventory = inventoryOf({ ...catalogOf(2), records }, "vm/web1", repository, asOfMs);
    const recordDigestOf = (at: number) => recordDigest((records[at]!.data as { record: JsonValue }).record);
    assert.deepEqual(
      inventory.snapshots.map(({ test }) => test),
      [null, { recordDigest: recordDigestOf(1), outcome: "failed", finishedAt: "2026-11-21T03:00:00.123Z" }],
    );
    assert.deepEqual(read([signInventory(inventory, [key])]).inventories[0]?.inventory, inventory);
  });

  it("of releases that did not tell tests are read as if there were none", () => {
    const { subjects, predicateType, predicate } = inventoryStatement(
      inventoryOf(catalogOf(2), "vm/web1", repository, asOfMs),
    );
    const text = JSON.stringify(predicate).replaceAll(',"test":null', "");
    const old = encodeStatement({ subjects, predicateType, predicate: JSON.parse(text) as JsonValue });
    const [found] = read([signEnvelope(IN_TOTO_PAYLOAD_TYPE, old, [key])]).inventories;
    assert.deepEqual([text.includes("test"), found?.inventory.snapshots[0]?.test], [false, null]);
  });

  it("name two snapshots of one second differently", () => {
    const catalog = catalogOf(2);
    const [first, second] = catalog.snapshots;
    const twins = { ...catalog, snapshots: [first, { ...second, manifest: first?.manifest }] } as InventoriedCatalog;
    const inventory = inventoryOf(twins, "vm/web1", repository, asOfMs);
    const names = inventoryStatement(inventory).subjects.map((subject) => subject.name);
    assert.equal(new Set(names).size, 2);
    assert.equal(read([signInventory(inventory, [key])]).inventories.length, 1);
  });

  it("count only with enough trusted signatures", () => {
    const inventory = inventoryOf(catalogOf(1), "vm/web1", repository, asOfMs);
    const [ours, theirs] = [signInventory(inventory, [key]), signInventory(inventory, [other])];
    const both = [key.verificationKey, other.verificationKey];
    assert.deepEqual(read([theirs]), { inventories: [], ignored: ["signature-untrusted"], problems: [] });
    assert.equal(read([ours], 2, both).inventories.length, 0);
    assert.equal(read([ours, theirs], 2, both).inventories.length, 1, "one signature each");
    assert.equal(read([signInventory(inventory, [key, other])], 2, both).inventories.length, 1);
    assert.equal(read([ours, ours], 2, both).inventories.length, 0);
  });

  it("that make no sense are problems when a trusted key has signed them", () => {
    const inventory = inventoryOf(catalogOf(3), "vm/web1", repository, asOfMs);
    const [first, second] = inventory.snapshots;
    assert.ok(first && second);
    const changes: Record<string, unknown>[] = [
      { version: 2 },
      { version: undefined },
      { machine: "web1" },
      { machine: ":vm/web1" },
      { machine: "vm/web1\n::error::" },
      { asOf: "yesterday" },
      { asOf: "2026-02-30T00:00:00Z" },
      { repositoryId: "x" },
      { location: "x".repeat(3_000) },
      { total: 2 },
      { total: 4 },
      { total: -1 },
      { unreadable: null },
      { snapshots: {} },
      { snapshots: [] },
      { snapshots: [second, first, ...inventory.snapshots.slice(2)] },
      { snapshots: [first, first, second] },
      { snapshots: inventory.snapshots.map((each) => ({ ...each, time: "2026-10-01 00:00:00" })) },
      { snapshots: inventory.snapshots.map((each) => ({ ...each, verification: { result: "fine" } })) },
      { snapshots: inventory.snapshots.map((each) => ({ ...each, test: {} })) },
      { snapshots: inventory.snapshots.map((each) => ({ ...each, test: "passed" })) },
      { snapshots: Array.from({ length: MAX_INVENTORY + 1 }, () => first), total: 1_000 },
    ];
    for (const change of changes) {
      const { subjects, predicateType, predicate } = inventoryStatement(inventory);
      const changed = JSON.parse(JSON.stringify({ ...(predicate as object), ...change })) as JsonValue;
      const payload = encodeStatement({ subjects, predicateType, predicate: changed });
      const seen = read([signEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, [key])]);
      assert.deepEqual(seen, { inventories: [], ignored: [], problems: ["statement-invalid"] }, JSON.stringify(change));
    }
  });

  it("are about what they name, and nothing else", () => {
    const statement = inventoryStatement(inventoryOf(catalogOf(2), "vm/web1", repository, asOfMs));
    const [first] = statement.subjects;
    assert.ok(first);
    for (const subjects of [
      [],
      [first],
      [first, first],
      [...statement.subjects, first],
      [...statement.subjects].reverse(),
    ])
      assertThrowsCode(() => decodeInventory({ ...statement, subjects }, "i"), "FORMAT_INVALID");
  });

  it("have no member twice", () => {
    const envelope = decodeEnvelope(
      signInventory(inventoryOf(catalogOf(1), "vm/web1", repository, asOfMs), [key]),
      "e",
    );
    const text = Buffer.from(envelope.payload).toString();
    const twice = text.replace('"total":1', '"total":1,"total":1');
    assert.notEqual(twice, text);
    const seen = read([signEnvelope(IN_TOTO_PAYLOAD_TYPE, encodeText(twice), [key])]);
    assert.deepEqual(seen, { inventories: [], ignored: ["statement-invalid"], problems: [] });
  });

  it("that cannot be read again are not signed", () => {
    const inventory = inventoryOf(catalogOf(1), "vm/web1", repository, asOfMs);
    const wrong: Partial<Inventory>[] = [{ machine: "no machine" }, { total: 7 }, { repositoryId: "" }, { asOf: "" }];
    for (const change of wrong)
      assertThrowsCode(() => signInventory({ ...inventory, ...change }, [key]), "FORMAT_INVALID");
  });

  it("survive whatever JSON is given for one", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          decodeInventory({ subjects: [], predicateType: INVENTORY_TYPE, predicate: value as JsonValue }, "i");
          assert.fail("it was read");
        } catch (error) {
          assert.ok(isOurError(error), String(error));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("are the same bytes for the same facts", () => {
    const make = () => encodeStatement(inventoryStatement(inventoryOf(catalogOf(2), "vm/web1", repository, asOfMs)));
    assert.deepEqual(make(), make());
    assert.deepEqual(decodeStatement(make(), "s").predicateType, INVENTORY_TYPE);
  });
});
