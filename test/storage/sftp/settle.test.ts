// A line that breaks around the one request that decides a put-if-absent: what became of it is found out, not guessed.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openLocalBackend } from "../../../core/storage/localBackend.js";
import type { ByteLine } from "../../../core/storage/sftp/byteLine.js";
import { openSftpBackend } from "../../../core/storage/sftp/openSftpBackend.js";
import { pattern } from "../../conformance/contract.js";
import { lineWithout } from "../../support/sftpLines.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";

interface Break {
  /** Ends the line at the first request with this text in it. */
  at: string;
  /** Before the server sees the request, or when its answer comes. */
  when: "before" | "after";
  /** What others do meanwhile. */
  meanwhile?: () => Promise<unknown>;
}

/** Lines to one server, of which the first breaks as told. */
function linesThatBreak(plan: Break, without: string[]): { openLine: () => Promise<ByteLine>; opened: () => number } {
  let opened = 0;
  let broken = false;
  const openLine = async (): Promise<ByteLine> => {
    opened++;
    await (broken ? plan.meanwhile?.() : undefined);
    const line = lineWithout(...without);
    let end: (why: Error) => void = () => undefined;
    let awaiting = false;
    const breakNow = () => {
      broken = true;
      line.destroy();
      end(new Error("the line broke"));
    };
    return {
      ...line,
      listen: ({ onBytes, onEnd }) => {
        end = onEnd;
        line.listen({ onBytes: (chunk) => (awaiting ? breakNow() : onBytes(chunk)), onEnd });
      },
      send: (parts) => {
        const hit = !broken && Buffer.concat(parts).includes(plan.at);
        if (hit && plan.when === "before") return breakNow();
        awaiting = hit;
        line.send(parts);
      },
    };
  };
  return { openLine, opened: () => opened };
}

describe("SFTP put-if-absent with a line that breaks", function () {
  this.timeout(30_000);
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await makeTemporaryFolder("settle");
  });
  afterEach(() => folder.remove());

  const ours = pattern(50_000, 1);
  const link = "hardlink@openssh.com";

  async function outcomeOf(plan: Break, without: string[] = []) {
    const { openLine, opened } = linesThatBreak(plan, without);
    const backend = await openSftpBackend(`sftp://h${folder.path}?connections=1`, { openLine });
    try {
      const outcome = await backend.putIfAbsent("snapshots/s", ours);
      assert.equal(opened(), 2, "the line broke once");
      return { outcome, bytes: await backend.get("snapshots/s"), left: readdirSync(join(folder.path, "tmp")) };
    } finally {
      await backend.close();
    }
  }

  /** The same contents: what decides must not be them. */
  const otherWins = async () => {
    await (await openLocalBackend(folder.path)).putIfAbsent("snapshots/s", ours);
  };

  it("is created when only the answer was lost", async () => {
    assert.deepEqual(await outcomeOf({ at: link, when: "after" }), { outcome: "created", bytes: ours, left: [] });
  });

  it("is created when the request was lost", async () => {
    assert.deepEqual(await outcomeOf({ at: link, when: "before" }), { outcome: "created", bytes: ours, left: [] });
  });

  it("exists when somebody else stored the same meanwhile", async () => {
    const seen = await outcomeOf({ at: link, when: "before", meanwhile: otherWins });
    assert.deepEqual(seen, { outcome: "exists", bytes: ours, left: [] });
  });

  it("is created when the line breaks while the contents are flushed", async () => {
    const plan: Break = { at: "fsync@openssh.com", when: "after" };
    assert.deepEqual(await outcomeOf(plan), { outcome: "created", bytes: ours, left: [] });
  });

  it("without hard links, too, is settled by what became of the temporary file", async () => {
    assert.deepEqual(await outcomeOf({ at: "/snapshots/s", when: "after" }, [link]), {
      outcome: "created",
      bytes: ours,
      left: [],
    });
  });
});
