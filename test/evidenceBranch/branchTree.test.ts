// The files of the evidence branch as one whole: whatever is changed, taken, added or moved is noticed and named.

import assert from "node:assert/strict";
import fc from "fast-check";
import { statementPath } from "../../core/evidenceBranch/branchPaths.js";
import { type BranchFiles, checkBranchTree } from "../../core/evidenceBranch/branchTree.js";
import { decodeLogEntry, encodeLogEntry } from "../../core/evidenceBranch/logEntry.js";
import { encodeText } from "../../core/format/bytes.js";
import { checkEnvelope } from "../evidence/independentDsse.js";
import { assertThrowsCode } from "../support/assertCode.js";
import {
  backedUpMs,
  branchFiles,
  HOUR,
  key,
  sha256,
  signedInventory,
  signedTest,
  stranger,
  trusted,
} from "./sampleEvidence.js";

const LOG = ["log/00000001.json", "log/00000002.json", "log/00000003.json", "log/00000004.json"] as const;

/** Four publications; the last one drops what the first one has brought. */
function sample(): Map<string, Uint8Array> {
  const inventories = [1, 2, 3, 4].map((hour) => signedInventory({ asOfMs: backedUpMs + hour * HOUR }));
  const files = branchFiles(
    [[inventories[0]!], [inventories[1]!, ...signedTest("vm/web1", 1)], [inventories[2]!], [inventories[3]!]],
    2.5 * HOUR,
  );
  return files;
}

const files = sample();
const changed = (change: (copy: Map<string, Uint8Array>) => void): BranchFiles => {
  const copy = new Map(files);
  change(copy);
  return copy;
};
const problemsOf = (branch: BranchFiles, keys = trusted) => checkBranchTree(branch, keys).problems;
const pathsOf = (branch: BranchFiles) => problemsOf(branch).map(({ path }) => path);
const statements = () => [...files.keys()].filter((path) => path.startsWith("statements/"));

describe("the evidence branch", () => {
  it("is sound as it was published", () => {
    const tree = checkBranchTree(files, trusted);
    assert.deepEqual(tree.problems, []);
    assert.equal(tree.statements.length, 5, "six, and one was dropped");
    assert.equal(tree.head?.entry.sequence, 4);
    assert.equal(tree.entries[3]?.entry.dropped.length, 1);
    assert.deepEqual(
      tree.statements.map(({ sequence }) => sequence),
      [2, 2, 2, 3, 4],
    );
  });

  it("can be checked by hand as its README says", () => {
    const pem = key.verificationKey.toPem();
    const entry = (at: number) => Buffer.from(files.get(LOG[at]!)!);
    for (let at = 1; at < 4; at++) {
      const { signers, body } = checkEnvelope(entry(at).toString(), [pem]);
      assert.deepEqual(signers, [pem]);
      const { predicate } = JSON.parse(body.toString()) as { predicate: { previous: string; sequence: number } };
      assert.equal(predicate.previous, sha256(entry(at - 1)));
      assert.equal(predicate.sequence, at + 1);
    }
    for (const path of statements()) assert.equal(statementPath(sha256(files.get(path)!)), path);
  });

  it("notices any flipped bit of any file, and names the file", () => {
    const paths = [...files.keys()];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.nat(), fc.nat(7), (path, position, bit) => {
        const bytes = Uint8Array.from(files.get(path)!);
        const at = position % bytes.length;
        bytes[at] = bytes[at]! ^ (1 << bit);
        const tree = checkBranchTree(
          changed((copy) => copy.set(path, bytes)),
          trusted,
        );
        const named = tree.problems.map((problem) => problem.path);
        // an entry that is put before it is named, too: the next one does not follow it any more
        assert.ok(named.includes(path), `${path} at ${at}, bit ${bit}: ${JSON.stringify(tree.problems)}`);
        assert.deepEqual(tree.statements, []);
      }),
      { numRuns: 500 },
    );
  });

  it("notices bytes that are added or cut off", () => {
    for (const [path, bytes] of files)
      for (const other of [bytes.slice(0, -1), Uint8Array.of(...bytes, 10), new Uint8Array(), encodeText("{}")])
        assert.ok(pathsOf(changed((copy) => copy.set(path, other))).includes(path), path);
  });

  it("notices every file that is missing", () => {
    for (const path of files.keys()) {
      const found = pathsOf(changed((copy) => copy.delete(path)));
      // without its newest entry it is an older log with the newer one's files
      if (path === LOG[3]) assert.ok(found.length > 0);
      else assert.ok(found.includes(path), path);
    }
    assert.deepEqual(pathsOf(new Map()), [LOG[0]]);
  });

  it("notices files that do not belong there", () => {
    const more = [
      "x",
      "log/00000005.json.bak",
      "log/5.json",
      "log/00000000.json",
      "statements/x.json",
      "README.MD",
      "log/\n::error::",
    ];
    for (const path of more) assert.ok(pathsOf(changed((copy) => copy.set(path, encodeText("{}")))).includes(path));
    const bytes = encodeText(`${signedInventory({ machine: "vm/other" })}\n`);
    const path = statementPath(sha256(bytes));
    assert.deepEqual(pathsOf(changed((copy) => copy.set(path, bytes))), [path], "also a statement that is signed");
  });

  it("notices entries in another order, twice, or of another branch", () => {
    const swap = changed((copy) => {
      copy.set(LOG[1], files.get(LOG[2])!);
      copy.set(LOG[2], files.get(LOG[1])!);
    });
    assert.ok(pathsOf(swap).includes(LOG[1]) && pathsOf(swap).includes(LOG[2]));
    const twice = changed((copy) => copy.set("log/00000005.json", files.get(LOG[3])!));
    assert.ok(pathsOf(twice).includes("log/00000005.json"));
    const elsewhere = branchFiles([
      [signedInventory({ machine: "vm/other" })],
      [signedInventory({ machine: "vm/third" })],
    ]);
    for (const path of [LOG[0], LOG[1]])
      assert.ok(pathsOf(changed((copy) => copy.set(path, elsewhere.get(path)!))).includes(path), path);
    const gap = changed((copy) => {
      copy.delete(LOG[1]);
      copy.delete(LOG[2]);
    });
    assert.deepEqual(problemsOf(gap), [{ path: LOG[1], message: "is missing from the log, and 1 after it" }]);
    const far = changed((copy) => copy.set("log/99999999.json", files.get(LOG[3])!));
    assert.ok(pathsOf(far).includes("log/00000005.json"));
  });

  it("takes an older state as a whole, which only its time gives away", () => {
    const { entries } = checkBranchTree(files, trusted);
    const before = branchFiles([[signedInventory({ asOfMs: backedUpMs + HOUR })]], null);
    assert.deepEqual(problemsOf(before), []);
    assert.equal(entries[0]?.entry.sequence, 1);
  });

  it("is trusted by the newest signature alone, which must be of a trusted key", () => {
    const strangers = [stranger.verificationKey];
    assert.deepEqual(
      problemsOf(files, strangers).map(({ path }) => path),
      [LOG[3]],
    );
    assert.deepEqual(problemsOf(files, [...strangers, ...trusted]), []);
    const { entry } = decodeLogEntry(files.get(LOG[3])!, trusted, "e");
    const resigned = changed((copy) => copy.set(LOG[3], encodeLogEntry(entry, [stranger])));
    assert.deepEqual(pathsOf(resigned), [LOG[3]]);
    const unsigned = changed((copy) => copy.set(LOG[3], encodeLogEntry(entry, [])));
    assert.deepEqual(pathsOf(unsigned), [LOG[3]]);
    const older = decodeLogEntry(files.get(LOG[1])!, trusted, "e").entry;
    const forged = changed((copy) => copy.set(LOG[1], encodeLogEntry({ ...older, by: "x" }, [stranger])));
    assert.deepEqual(pathsOf(forged), [LOG[1]]);
  });

  it("cannot be made to lie by an appended entry without the key", () => {
    const { head } = checkBranchTree(files, trusted);
    assert.ok(head);
    const bytes = encodeText(`${signedInventory({ machine: "vm/other" }, [stranger])}\n`);
    const entry = { ...head.entry, sequence: 5, previous: head.digest, added: [sha256(bytes)], dropped: [] };
    const extended = changed((copy) => {
      copy.set(statementPath(sha256(bytes)), bytes);
      copy.set("log/00000005.json", encodeLogEntry(entry, [stranger]));
    });
    assert.deepEqual(pathsOf(extended), ["log/00000005.json"]);
  });

  it("refuses entries that contradict what is there, although they are signed", () => {
    const { head } = checkBranchTree(files, trusted);
    assert.ok(head);
    const [present] = head.entry.added;
    const next = {
      ...head.entry,
      sequence: 5,
      previous: head.digest,
      added: ["ab".repeat(32)],
      dropped: [] as string[],
    };
    for (const change of [{ added: [present!] }, { dropped: ["cd".repeat(32)] }, {}, { readme: "ef".repeat(32) }]) {
      const bytes = encodeLogEntry({ ...next, ...change }, [key]);
      assert.ok(problemsOf(changed((copy) => copy.set("log/00000005.json", bytes))).length > 0, JSON.stringify(change));
    }
  });

  it("tells who has signed each entry when asked", () => {
    const all = checkBranchTree(files, trusted, { everySigner: true });
    assert.ok(all.entries.every(({ signedBy }) => signedBy[0] === key.verificationKey.keyId));
  });

  it("has bounded lists of problems", () => {
    const rubbish = changed((copy) => {
      for (let at = 0; at < 500; at++) copy.set(`rubbish-${at}`, encodeText("x"));
    });
    assert.equal(problemsOf(rubbish).length, 20);
  });
});

describe("entries of the log", () => {
  const good = decodeLogEntry(files.get(LOG[3])!, trusted, "e").entry;

  it("are read as they were written", () => {
    const { entry, signedBy } = decodeLogEntry(encodeLogEntry(good, [key, stranger]), trusted, "e");
    assert.deepEqual(entry, good);
    assert.deepEqual(signedBy, [key.verificationKey.keyId]);
  });

  it("are refused when they make no sense", () => {
    const digest = "ab".repeat(32);
    const changes = [
      { sequence: 0 },
      { sequence: 100_000_000 },
      { previous: "x" },
      { publishedAt: "2026-11-22" },
      { by: "x".repeat(301) },
      { readme: "" },
      { added: [] },
      { added: [digest, digest] },
      { dropped: [digest, digest] },
      { added: [digest], dropped: [digest] },
      { dropped: ["../../etc/passwd"] },
    ];
    for (const change of changes)
      assertThrowsCode(
        () => decodeLogEntry(encodeLogEntry({ ...good, ...change }, [key]), trusted, "e"),
        "FORMAT_INVALID",
        JSON.stringify(change),
      );
  });
});
